package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"rows": main})
}

// The scripts of testdata are sessions with rows, on the files beside them.
func TestRows(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata", Setup: func(env *testscript.Env) error {
		return os.CopyFS(env.WorkDir, os.DirFS("testdata"))
	}})
}

// A stop is some of what columns may be.
type stop struct {
	At   string    `parquet:"at" json:"at"`
	N    *int64    `parquet:"n,optional" json:"n"`
	More []float64 `parquet:"more,list" json:"more"`
}

type trip struct {
	ID    int64             `parquet:"id" json:"id"`
	Miles float64           `parquet:"miles" json:"miles"`
	Note  *string           `parquet:"note,optional" json:"note"`
	Stops []stop            `parquet:"stops,list" json:"stops"`
	Bare  []int32           `parquet:"bare" json:"bare"` // repeated, as protocol buffers are
	Map   map[string]uint32 `parquet:"map" json:"map"`
	Ride  struct {
		From int32 `parquet:"from" json:"from"`
		To   *stop `parquet:"to,optional" json:"to"`
	} `parquet:"ride" json:"ride"`
}

func someTrip(r *rand.Rand, id int64) trip {
	word := func() string { return []string{"", "a", "é\n\"", strings.Repeat("x", r.IntN(300))}[r.IntN(4)] }
	aStop := func() stop {
		s := stop{At: word(), More: []float64{}}
		if r.IntN(2) == 0 {
			n := int64(r.Uint64())
			s.N = &n
		}
		for range r.IntN(3) {
			s.More = append(s.More, r.NormFloat64())
		}
		return s
	}
	v := trip{ID: id, Miles: r.ExpFloat64(), Stops: []stop{}, Bare: []int32{}, Map: map[string]uint32{}}
	if r.IntN(2) == 0 {
		note := word()
		v.Note = &note
	}
	for range r.IntN(4) {
		v.Stops = append(v.Stops, aStop())
	}
	for range r.IntN(3) {
		v.Bare = append(v.Bare, int32(r.Uint32()))
		v.Map[word()] = r.Uint32()
	}
	v.Ride.From = r.Int32()
	if r.IntN(2) == 0 {
		s := aStop()
		v.Ride.To = &s
	}
	return v
}

func rowsOf(t *testing.T, file string, args ...string) string {
	t.Helper()
	var out bytes.Buffer
	if err := run(append(args, file), &out, io.Discard); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// Rows of every shape come back, over pages and row groups, from any row on.
func TestRowsComeBack(t *testing.T) {
	const n = 400
	r := rand.New(rand.NewPCG(1, 2))
	trips := make([]trip, n)
	for i := range trips {
		trips[i] = someTrip(r, int64(i))
	}
	for version := 1; version <= 2; version++ {
		file := filepath.Join(t.TempDir(), "trips.parquet")
		if err := parquet.WriteFile(file, trips, parquet.MaxRowsPerRowGroup(150), parquet.PageBufferSize(512), parquet.DataPageVersion(version)); err != nil {
			t.Fatal(err)
		}
		all := rowsOf(t, file)
		lines := strings.Split(strings.TrimSuffix(all, "\n"), "\n")
		if len(lines) != n {
			t.Fatalf("%d lines", len(lines))
		}
		for i, line := range lines {
			want, err := json.Marshal(trips[i])
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(read(t, line), read(t, string(want))) {
				t.Fatalf("row %d:\n%s\n%s", i, line, want)
			}
		}
		for _, skip := range []int{1, 149, 150, 151, 299, 399, 400} {
			if got := rowsOf(t, file, "-skip", strconv.Itoa(skip)); got != strings.Join(append(lines[skip:], ""), "\n") {
				t.Errorf("behind %d rows others come", skip)
			}
		}
		flat := rowsOf(t, file, "-want", `[["id"],["a","miles"]]`)
		lines = strings.Split(strings.TrimSuffix(flat, "\n"), "\n")
		for _, skip := range []int{0, 1, 149, 150, 151, 299, 399, 400} {
			if got := rowsOf(t, file, "-want", `[["id"],["a","miles"]]`, "-skip", strconv.Itoa(skip)); got != strings.Join(append(lines[skip:], ""), "\n") {
				t.Errorf("of flat columns, behind %d rows others come", skip)
			}
		}
	}
}

// read reads JSON, whose numbers stay as they are written but for floats, whose
// bits count.
func read(t *testing.T, text string) any {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return exact(v)
}

func exact(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k := range v {
			v[k] = exact(v[k])
		}
	case []any:
		for i := range v {
			v[i] = exact(v[i])
		}
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return fmt.Sprint(n)
		}
		x, err := v.Float64()
		if err != nil {
			return err
		}
		if x == math.Trunc(x) && math.Abs(x) < 1e15 { // Go writes it as a whole number
			return fmt.Sprint(int64(x))
		}
		return math.Float64bits(x)
	}
	return v
}

// Every number reads back to the same bits, as a float.
func TestFloatsReadBack(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for i := range 50_000 {
		x := math.Float64frombits(r.Uint64())
		if i%2 == 0 {
			x = float64(math.Float32frombits(r.Uint32()))
		}
		text := string(appendFloat(nil, x))
		if math.IsNaN(x) {
			if text != "null" {
				t.Fatal(text)
			}
			continue
		}
		if got, err := strconv.ParseFloat(text, 64); math.Float64bits(got) != math.Float64bits(x) || err != nil && !math.IsInf(x, 0) || !strings.ContainsAny(text, ".e") {
			t.Fatalf("%x: %s, %v", math.Float64bits(x), text, err)
		}
	}
}

// A damaged file is an error in one line, or other rows, but no crash.
func TestDamagedFiles(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	good, err := os.ReadFile(filepath.Join("testdata", "arrow.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "bad.parquet")
	failed := 0
	for i := range 400 {
		bad := bytes.Clone(good)
		if i%4 == 0 {
			bad = bad[:r.IntN(len(bad))]
		} else {
			bad[r.IntN(len(bad))] ^= byte(1 + r.IntN(255))
		}
		if err := os.WriteFile(file, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := run([]string{file}, io.Discard, io.Discard); err != nil {
			failed++
		}
	}
	if failed < 100 {
		t.Errorf("%d of 400 damages are found", failed)
	}
}

// A flat column that is named by a path with dots has that place.
func TestNamesWithDots(t *testing.T) {
	type flat struct {
		From int32  `parquet:"ride.from"`
		At   string `parquet:"ride.stop.at"`
		ID   *int64 `parquet:"id,optional"`
	}
	file := filepath.Join(t.TempDir(), "flat.parquet")
	if err := parquet.WriteFile(file, []flat{{236, "x", nil}}); err != nil {
		t.Fatal(err)
	}
	const want = `{"id":null,"ride":{"from":236,"stop":{"at":"x"}}}` + "\n"
	if got := rowsOf(t, file, "-want", `[["ride","from"],["ride","stop","at"],["id"],["ride","none"]]`, "-number", `["id"]`); got != want {
		t.Errorf("got %s", got)
	}
	if got := rowsOf(t, file); got != `{"ride.from":236,"ride.stop.at":"x","id":null}`+"\n" {
		t.Errorf("got %s", got)
	}
}
