package unpack

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/skiff-ml/skiff/inference"
	"github.com/skiff-ml/skiff/inference/hint"
	"github.com/skiff-ml/skiff/inference/jsonscan"
	"github.com/skiff-ml/skiff/inference/kpl"
)

func gzipped(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	return zipped(&b, w, text)
}

func zlibbed(text string) string {
	var b bytes.Buffer
	w, err := zlib.NewWriterLevel(&b, zlib.BestSpeed)
	if err != nil {
		panic(err)
	}
	return zipped(&b, w, text)
}

func zipped(b *bytes.Buffer, w io.WriteCloser, text string) string {
	if _, err := io.WriteString(w, text); err != nil {
		panic(err)
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return b.String()
}

// aggregate returns an aggregate of these records, their keys key1, key2….
func aggregate(records ...string) string {
	var w kpl.Writer
	w.Reset("0")
	for i, r := range records {
		w.Add(fmt.Sprint("key", i+1), []byte(r))
	}
	return string(w.Append(nil))
}

func logs(kind string, events ...string) string {
	return gzipped(fmt.Sprintf(`{"messageType": %q, "owner": "0", "logGroup": "g", "logStream": "s", "subscriptionFilters": ["f"], "logEvents": [%s]}`,
		kind, strings.Join(events, ",")))
}

// show returns parts in short: each one's key, and its data or its rejection.
func show(parts []Part) string {
	var lines []string
	for _, p := range parts {
		line := string(p.Data)
		if p.Rejection != nil {
			line = string(p.Rejection.Reason) + ": " + p.Rejection.Detail
		}
		if p.Key != nil {
			line = string(p.Key) + "=" + line
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, " | ")
}

func TestUnpack(t *testing.T) {
	const a, b = `{"a": {}}`, `{"b": "}{\n"}`
	cut := gzipped(a)[:20]
	for name, test := range map[string]struct{ record, want string }{
		"one document":            {a, a},
		"with space around it":    {" " + b + "\n", " " + b + "\n"},
		"lines":                   {a + "\n" + b + "\n", a + " | " + b},
		"lines of Windows":        {a + "\r\n" + b + "\r\n", a + " | " + b},
		"empty lines":             {"\n" + a + "\n\n\n" + b, a + " | " + b},
		"one behind the other":    {a + b + a, a + " | " + b + " | " + a},
		"a bad line":              {a + "\n{bad}\n" + b, a + " | {bad} | " + b},
		"a bad first line":        {"{\"a\": \n" + a + "\n" + b, "{\"a\": | " + a + " | " + b},
		"the last is cut off":     {a + "\n" + `{"a": {"b`, a + ` | {"a": {"b`},
		"all lines are bad":       {"{bad}\n{bad}", "{bad}\n{bad}"},
		"one and what is no JSON": {a + "\nbye", a + "\nbye"},
		"one that is broken":      {"{\n \"a\": [\n {},\n {}\n ], bye\n}", "{\n \"a\": [\n {},\n {}\n ], bye\n}"},
		"a list":                  {"[" + a + ", " + b + "]", a + " | " + b},
		"a list of one":           {" [" + a + "] ", a},
		"with what is no object":  {"[1, " + a + `, null, "x"]`, "1 | " + a + ` | null | "x"`},
		"lists in a list":         {"[[" + a + "], [" + b + ", " + a + "], []]", a + " | " + b + " | " + a + " | []"},
		"lists one by one":        {"[" + a + "]\n[" + b + "]", a + " | " + b},
		"no documents in it":      {`[1, "a"]`, `[1, "a"]`},
		"an empty list":           {`[]`, `[]`},
		"a list cut off":          {"[" + a + ", " + b, "[" + a + ", " + b},
		"a list and more":         {"[" + a + "] bye", "[" + a + "] bye"},
		"numbers":                 {"1 2 3", "1 2 3"},
		"nothing":                 {"", ""},
		"not UTF-8":               {"{\"a\": \"\xff\"}\n" + a, "{\"a\": \"\xff\"} | " + a},
		"a zero behind it":        {a + "\x00", a + "\x00"},

		"gzip":                    {gzipped(a), a},
		"gzip of lines":           {gzipped(a + "\n" + b), a + " | " + b},
		"gzip twice":              {gzipped(gzipped(a)), a},
		"two members":             {gzipped(a) + gzipped(b), a + " | " + b},
		"gzip of nothing":         {gzipped(""), ""},
		"gzip cut off":            {cut, "not_json: it is compressed with gzip and damaged: unexpected EOF"},
		"gzip and more":           {gzipped(a) + "more than a header", "not_json: it is compressed with gzip and damaged: gzip: invalid header"},
		"zlib":                    {zlibbed(a), a},
		"zlib and more":           {zlibbed(a) + "more", "not_json: it is compressed with zlib and damaged: there are bytes behind its end"},
		"zlib cut off":            {zlibbed(a)[:9], "not_json: it is compressed with zlib and damaged: unexpected EOF"},
		"an aggregate":            {aggregate(a, b), "key1=" + a + " | key2=" + b},
		"an aggregate of one":     {aggregate(a), "key1=" + a},
		"an aggregate of none":    {aggregate(), "not_json: it is a KPL aggregate of no records"},
		"an aggregate cut off":    {aggregate(a, b)[:30], "not_json: it is a KPL aggregate and damaged: its MD5 is another"},
		"gzip in an aggregate":    {aggregate(gzipped(a), cut, b), "key1=" + a + " | key2=not_json: it is compressed with gzip and damaged: unexpected EOF | key3=" + b},
		"all in one":              {aggregate(gzipped(aggregate(zlibbed("["+a+"]"), a+b)), b), "key1=" + a + " | key2=" + a + " | key2=" + b + " | key2=" + b},
		"logs":                    {logs("DATA_MESSAGE", `{"id": "1", "message": "{\"a\": {}}"}`, `{"id": "2", "message": "{\"b\": \"}{\\n\"}"}`), a + " | " + b},
		"logs without JSON":       {logs("DATA_MESSAGE", `{"message": "START RequestId"}`), "START RequestId"},
		"logs without a message":  {logs("DATA_MESSAGE", `{"id": "1"}`, `7`), `{"id": "1"} | 7`},
		"a check of logs":         {logs("CONTROL_MESSAGE", `{"message": "CWL CONTROL MESSAGE: Checking health of destination Kinesis stream."}`), ""},
		"a check in an aggregate": {aggregate(logs("CONTROL_MESSAGE", ""), a), "key2=" + a},
		"another type of message": {logs("OTHER_MESSAGE", `{"message": "{}"}`), `{"messageType": "OTHER_MESSAGE", "owner": "0", "logGroup": "g", "logStream": "s", "subscriptionFilters": ["f"], "logEvents": [{"message": "{}"}]}`},
	} {
		u := New(All)
		got := show(u.Unpack(nil, []byte(test.record)))
		if got != test.want {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
		if u.IsPlain([]byte(test.record)) && got != test.record {
			t.Errorf("%s: it counts as plain", name)
		}
		off := New(0)
		if got := show(off.Unpack(nil, []byte(test.record))); got != test.record || !off.IsPlain([]byte(test.record)) {
			t.Errorf("%s: got %q with everything off", name, got)
		}
	}
}

// Logs are told by their envelope only where they come from something
// compressed: a plain document is a document.
func TestLogsAreCompressed(t *testing.T) {
	const document = `{"messageType": "CONTROL_MESSAGE", "logGroup": "", "logEvents": []}`
	if got := show(New(All).Unpack(nil, []byte(document))); got != document {
		t.Errorf("got %q", got)
	}
}

func TestEachFormatByItself(t *testing.T) {
	records := []string{aggregate(`{}`, `{}`), gzipped(`{}`), zlibbed(`{}`), logs("CONTROL_MESSAGE"), `{}{}`}
	for i, name := range names {
		set, err := Parse(name)
		if err != nil {
			t.Fatal(err)
		}
		for n, r := range records {
			u := New(set)
			parts := u.Unpack(nil, []byte(r))
			same := len(parts) == 1 && string(parts[0].Data) == r
			if want := n == i || name == "gzip" && n == 3; name != "logs" && same == want { // logs alone stay compressed
				t.Errorf("%s: record %d becomes %.100q", name, n, show(parts))
			}
			if u.IsPlain([]byte(r)) && !same {
				t.Errorf("%s: record %d counts as plain", name, n)
			}
		}
	}
	for text, want := range map[string]Formats{"all": All, "off": 0, "kpl": KPL, "gzip, json": Gzip | JSON, "kpl,gzip,zlib,logs,json": All} {
		if got, err := Parse(text); got != want || err != nil {
			t.Errorf("%s: got %b, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "on", "kpl,", "KPL", "zip"} {
		if got, err := Parse(text); err == nil || hint.Of(err) == "" {
			t.Errorf("%q: got %b, %v", text, got, err)
		}
	}
}

// A bomb is a rejection of what it is, and of nothing beside it; what is just
// under the bounds is taken.
func TestBombs(t *testing.T) {
	const head, tail, megabyte = `{"a": "`, `"}`, 1 << 20
	member := gzipped(strings.Repeat(" ", megabyte)) // compressed once: a gzip file may have many
	spaces := func(n int) string {                   // a document of n bytes
		n -= len(head + tail)
		return gzipped(head) + strings.Repeat(member, n/megabyte) + gzipped(strings.Repeat(" ", n%megabyte)+tail)
	}
	nested := `{}`
	for range maxDepth {
		nested = gzipped(nested)
	}
	bomb := spaces(MaxBytes + 1)
	large := inference.TooLarge
	for name, test := range map[string]struct {
		record string
		parts  int
		reason inference.Reason // of the first rejection
		total  int              // bytes that came out, at most
	}{
		"as large as may be":       {spaces(MaxBytes), 1, "", MaxBytes},
		"a byte more":              {bomb, 1, large, MaxBytes + 1},
		"zlib":                     {zlibbed(strings.Repeat(" ", MaxBytes+1)), 1, large, MaxBytes + 1<<20},
		"a bomb in a bomb":         {gzipped(strings.Repeat(member, 128)), 1, large, 2 * MaxBytes},
		"one among others":         {aggregate(`{}`, bomb, `{}`), 3, large, MaxBytes + 1},
		"many that are small":      {aggregate(slicesOf(gzipped(`{}`+strings.Repeat(" ", megabyte)), 40)...), 40, large, MaxBytes + 2<<20},
		"as deep as may be":        {nested, 1, "", 1 << 20},
		"deeper":                   {gzipped(nested), 1, large, 1 << 20},
		"lists in lists":           {strings.Repeat("[", 500) + "{}" + strings.Repeat("]", 500), 1, large, 0},
		"as many as may be":        {strings.Repeat("{}", MaxDocuments), MaxDocuments, "", 0},
		"one more":                 {strings.Repeat("{}", MaxDocuments+1), 1, large, 0},
		"a list of more":           {"[{}" + strings.Repeat(",{}", MaxDocuments) + "]", 1, large, 0},
		"too many in an aggregate": {aggregate(slicesOf(`{}`, MaxDocuments+1)...), 1, large, 0},
		"too many among others":    {aggregate(`{}`, strings.Repeat("{}", MaxDocuments), `{}`), 3, large, 0},
		"a gzip that lies":         {lie(gzipped(`{}`)), 1, inference.NotJSON, 16},
		"lines that never end":     {"{}" + strings.Repeat("\n{\"a\":[", 50_000), 1, "", 0}, // each would be read to a depth of 1,000
	} {
		u := New(All)
		parts := u.Unpack(nil, []byte(test.record))
		var reason inference.Reason
		for _, p := range parts {
			if p.Rejection != nil {
				reason = p.Rejection.Reason
				break
			}
		}
		if len(parts) != test.parts || reason != test.reason || u.Total() > test.total {
			t.Errorf("%s: %d parts, %q, %d bytes", name, len(parts), reason, u.Total())
		}
	}
}

func slicesOf(s string, n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = s
	}
	return all
}

// lie says that a gzip member has four gigabytes.
func lie(member string) string { return member[:len(member)-4] + "\xff\xff\xff\xff" }

// What comes out of many records counts, until it is reset; memory is used again
// and nothing of one record is in the next.
func TestUnpackAgain(t *testing.T) {
	u := New(All)
	var parts []Part
	for i := range 3 {
		record := fmt.Sprintf(`{"a": %d}`, i)
		parts = u.Unpack(parts[:0], []byte(gzipped(record)))
		if show(parts) != record || u.Total() != (i+1)*len(record) {
			t.Errorf("got %s, %d bytes", show(parts), u.Total())
		}
	}
	if u.Reset(); u.Total() != 0 {
		t.Errorf("%d bytes after a reset", u.Total())
	}
	plain := []byte(`{"ride": {"PULocationID": 130, "DOLocationID": 205, "trip_distance": 3.66}, "ride_id": 156}`)
	if n := testing.AllocsPerRun(100, func() {
		if !u.IsPlain(plain) {
			t.Error("it is not plain")
		}
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// Whatever comes in, what comes out is bounded, one valid document stays as it
// is, and what is made of valid documents comes out whole.
func FuzzUnpack(f *testing.F) {
	for _, seed := range []string{`{}`, "{}\n{}", `[{},1]`, aggregate(`{}`, `{"a":1}`), gzipped(`{}{}`), zlibbed(`[]`), logs("DATA_MESSAGE", `{"message":"{}"}`)} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		u := New(All)
		parts := u.Unpack(nil, data)
		if len(parts) > MaxDocuments || u.Total() > 2*MaxBytes {
			t.Fatalf("%d parts, %d bytes", len(parts), u.Total())
		}
		if u.IsPlain(data) && (len(parts) != 1 || !bytes.Equal(parts[0].Data, data)) {
			t.Fatalf("a plain record becomes %q", show(parts))
		}
		if !jsonscan.Valid(data) || first(data) != '{' {
			return
		}
		if len(parts) != 1 || !bytes.Equal(parts[0].Data, data) {
			t.Errorf("a document becomes %q", show(parts))
		}
		trimmed := strings.TrimSpace(string(data))
		for _, packed := range []string{trimmed + trimmed, trimmed + "\n" + trimmed, "[" + trimmed + "," + trimmed + "]", aggregate(trimmed, trimmed)} {
			if got := u.Unpack(nil, []byte(packed)); len(got) != 2 || string(got[0].Data) != trimmed || string(got[1].Data) != trimmed {
				t.Errorf("twice it becomes %q", show(got))
			}
		}
	})
}

func BenchmarkIsPlain(b *testing.B) {
	u := New(All)
	plain := []byte(`{"ride": {"PULocationID": 130, "DOLocationID": 205, "trip_distance": 3.66}, "ride_id": 156}`)
	b.ReportAllocs()
	for b.Loop() {
		if !u.IsPlain(plain) {
			b.Fatal("it is not plain")
		}
	}
}
