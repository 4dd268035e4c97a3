package kpl

import (
	"bytes"
	"crypto/md5"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write testdata/written.json again")

// A vector is an aggregate and what is in it.
type vector struct {
	Name      string     `json:"name"`
	HashKey   string     `json:"hash_key,omitempty"`
	Records   [][]string `json:"records"` // key and data
	Aggregate []byte     `json:"aggregate"`
}

func vectors(t *testing.T, file string) []vector {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var v []vector
	if err := json.Unmarshal(raw, &v); err != nil || len(v) == 0 {
		t.Fatalf("%d vectors, %v", len(v), err)
	}
	return v
}

func contents(t *testing.T, aggregate []byte) [][]string {
	t.Helper()
	a, err := Read(aggregate, 1000)
	if err != nil {
		t.Fatal(err)
	}
	var got [][]string
	for key, data := range a.All() {
		got = append(got, []string{string(key), string(data)})
	}
	if a.Len() != len(got) {
		t.Errorf("%d records, and it says %d", len(got), a.Len())
	}
	return got
}

// What AWS's library wrote is read: testdata/aws.py has it write.
func TestReadsWhatAWSWrites(t *testing.T) {
	for _, v := range vectors(t, "testdata/aws.json") {
		if got := contents(t, v.Aggregate); fmt.Sprint(got) != fmt.Sprint(v.Records) {
			t.Errorf("%s: got %.200q, want %.200q", v.Name, got, v.Records)
		}
	}
}

// What is written here is what it was: deploy/tests/test_aggregates.py has AWS's
// library read it.
func TestWrites(t *testing.T) {
	const file = "testdata/written.json"
	written := []vector{
		{Name: "one", HashKey: "0", Records: rides(1, 1)},
		{Name: "one key", HashKey: "340282366920938463463374607431768211455", Records: rides(5, 1)},
		{Name: "a key each", HashKey: "21267647932558653966460912964485513216", Records: rides(140, 140)},
		{Name: "keys in turn", HashKey: "0", Records: rides(20, 2)},
		{Name: "odd", HashKey: "0", Records: [][]string{{"é", ""}, {"b", strings.Repeat("x", 2_000)}, {"b", "\x00"}}},
	}
	var w Writer
	for i := range written {
		v := &written[i]
		w.Reset(v.HashKey)
		for _, r := range v.Records {
			most := w.SizeWith(r[0], []byte(r[1]))
			w.Add(r[0], []byte(r[1]))
			if w.Size() > most {
				t.Errorf("%s: %d bytes, and %d were said to be the most", v.Name, w.Size(), most)
			}
		}
		v.Aggregate = w.Append([]byte("before"))[len("before"):]
		if len(v.Aggregate) != w.Size() || w.Len() != len(v.Records) {
			t.Errorf("%s: %d bytes and %d records, and it says %d and %d", v.Name, len(v.Aggregate), len(v.Records), w.Size(), w.Len())
		}
		if got := contents(t, v.Aggregate); fmt.Sprint(got) != fmt.Sprint(v.Records) {
			t.Errorf("%s: got %.200q", v.Name, got)
		}
	}
	if *update {
		raw, err := json.MarshalIndent(written, "", "")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, append(raw, '\n'), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for i, want := range vectors(t, file) {
		if i >= len(written) || !bytes.Equal(written[i].Aggregate, want.Aggregate) {
			t.Errorf("%s: it is another than the one that AWS's library reads: go test -update", want.Name)
		}
	}
}

func rides(n, keys int) [][]string {
	records := make([][]string, n)
	for i := range records {
		records[i] = []string{fmt.Sprint("key", i%keys), fmt.Sprintf(`{"ride_duration": %d.0}`, i)}
	}
	return records
}

// sealed returns an aggregate of that message.
func sealed(message string) []byte {
	sum := md5.Sum([]byte(message))
	return append([]byte(magic+message), sum[:]...)
}

func TestReadRefuses(t *testing.T) {
	whole := vectors(t, "testdata/aws.json")[1].Aggregate
	flipped := bytes.Clone(whole)
	flipped[20] ^= 1
	for name, test := range map[string]struct {
		data []byte
		want error
	}{
		"nothing":              {nil, errCut},
		"the mark alone":       {[]byte(magic), errCut},
		"cut off":              {whole[:len(whole)-1], ErrDigest},
		"a byte changed":       {flipped, ErrDigest},
		"a length beyond":      {sealed("\x0a\x7f"), errCut},
		"half a tag":           {sealed("\x80"), errCut},
		"no key table":         {sealed("\x1a\x05\x08\x00\x1a\x01x"), ErrTables},
		"a key beyond":         {sealed("\x0a\x01a\x1a\x05\x08\x01\x1a\x01x"), ErrTables},
		"a key far beyond":     {sealed("\x0a\x01a\x1a\x0e\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x1a\x01x"), ErrTables},
		"a hash key beyond":    {sealed("\x0a\x01a\x1a\x07\x08\x00\x10\x00\x1a\x01x"), ErrTables},
		"no key":               {sealed("\x0a\x01a\x1a\x03\x1a\x01x"), ErrTables},
		"no data":              {sealed("\x0a\x01a\x1a\x02\x08\x00"), errNoData},
		"a record cut off":     {sealed("\x0a\x01a\x1a\x04\x08\x00\x1a\x05"), errCut},
		"too many":             {sealed(strings.Repeat("\x1a\x05\x08\x00\x1a\x01x", 11)), ErrMany},
		"too many keys":        {sealed(strings.Repeat("\x0a\x00", 11)), ErrMany},
		"a group that is open": {sealed("\x23"), errCut},
	} {
		if a, err := Read(test.data, 10); !errors.Is(err, test.want) {
			t.Errorf("%s: got %v, %v; want %v", name, a, err, test.want)
		}
	}
	if _, err := Read(sealed("\x08\x01"), 10); err == nil {
		t.Error("a table of numbers is taken")
	}
	a, err := Read(sealed("\x0a\x01a\x1a\x09\x08\x00\x1a\x01x\x22\x02\x0a\x00\x25\x00\x00\x00\x00"), 10) // tags, and a field of the future
	if err != nil || a.Len() != 1 {
		t.Errorf("got %v, %v", a, err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte("\x0a\x01a\x1a\x05\x08\x00\x1a\x01x"))
	f.Fuzz(func(t *testing.T, message []byte) {
		a, err := Read(sealed(string(message)), 100)
		if err != nil {
			return
		}
		var w Writer
		w.Reset("1")
		n := 0
		for key, data := range a.All() {
			w.Add(string(key), data)
			n++
		}
		if n != a.Len() {
			t.Errorf("%d of %d records", n, a.Len())
		}
		again, err := Read(w.Append(nil), 100)
		if err != nil || again.Len() != n {
			t.Errorf("written again: %v, %v", again, err)
		}
	})
}
