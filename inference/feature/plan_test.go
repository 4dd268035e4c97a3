package feature

import (
	"fmt"
	"math"
	"testing"

	"github.com/skiff-ml/skiff/inference"
	"github.com/skiff-ml/skiff/inference/bundle"
	"github.com/skiff-ml/skiff/inference/internal/fixture"
	"github.com/skiff-ml/skiff/inference/jsonscan"
)

func compiled(m *bundle.Manifest) *Plan { return Compile(m.Columns, m.ID) }

// encodeOne encodes one document by m.
func encodeOne(m *bundle.Manifest, doc string) ([]float64, Encoded, *refusal) {
	p := Compile(m.Columns, m.ID)
	row := make([]float64, len(m.Columns))
	out, r := p.Encode([]byte(doc), row, p.NewScratch())
	if r != nil {
		return row, out, &refusal{r.Reason, r.Field}
	}
	return row, out, nil
}

// A refusal is what the contract says of a rejection.
type refusal struct {
	reason inference.Reason
	field  string
}

func TestEncodeTaxi(t *testing.T) {
	for _, test := range []struct {
		name, doc string
		code      float64
		miles     float64
		unknown   int
	}{
		{"known pair", `{"ride": {"PULocationID": 130, "DOLocationID": 205, "trip_distance": 3.66}, "ride_id": 1}`, 1, 3.66, 0},
		{"ids as text", `{"ride": {"PULocationID": "130", "DOLocationID": "205", "trip_distance": 3.66}, "ride_id": 1}`, 1, 3.66, 0},
		{"escapes and null", `{"ride": {"PULocationID": "\u00fc", "DOLocationID": null, "trip_distance": 3}, "ride_id": 1}`, 0, 3, 1},
		{"a quote", `{"ride": {"PULocationID": "ü", "DOLocationID": "\"None", "trip_distance": 3}, "ride_id": 1}`, 2, 3, 0},
		{"ids as floats are other ids", `{"ride": {"PULocationID": 130.0, "DOLocationID": 205, "trip_distance": 1}, "ride_id": 1}`, 0, 1, 1},
		{"unknown pair", `{"ride": {"PULocationID": 1, "DOLocationID": 205, "trip_distance": 1e2}, "ride_id": 1}`, 0, 100, 1},
		{"bool miles", `{"ride": {"PULocationID": 130, "DOLocationID": 205, "trip_distance": true}, "ride_id": 1}`, 1, 1, 0},
		{"false miles", `{"ride": {"PULocationID": 130, "DOLocationID": 205, "trip_distance": false}, "ride_id": 1}`, 1, 0, 0},
		{"minus zero", `{"ride": {"PULocationID": 130, "DOLocationID": 205, "trip_distance": -0.0}, "ride_id": 1}`, 1, math.Copysign(0, -1), 0},
		{"underflow", `{"ride": {"PULocationID": 130, "DOLocationID": 205, "trip_distance": 1e-400}, "ride_id": 1}`, 1, 0, 0},
		{"beyond 2^53", `{"ride": {"PULocationID": 130, "DOLocationID": 205, "trip_distance": 9007199254740993}, "ride_id": 1}`, 1, 9007199254740992, 0},
		{"below the limit", `{"ride": {"PULocationID": 130, "DOLocationID": 205, "trip_distance": 9.9e37}, "ride_id": 1}`, 1, 9.9e37, 0},
		{"more keys", `{"x": [1], "ride": {"PULocationID": 130, "y": {}, "DOLocationID": 205, "trip_distance": 2}, "ride_id": {}}`, 1, 2, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			row, out, r := encodeOne(fixture.Manifest(), test.doc)
			if r != nil {
				t.Fatalf("rejected: %v", r)
			}
			if row[0] != test.code || math.Float64bits(row[1]) != math.Float64bits(test.miles) || out.Unknown != test.unknown {
				t.Errorf("got %v, %d unknown; want %v %v, %d", row, out.Unknown, test.code, test.miles, test.unknown)
			}
		})
	}
}

func TestEncodeRejects(t *testing.T) {
	const pair = `"PULocationID": 130, "DOLocationID": 205`
	for _, test := range []struct {
		name, doc string
		want      refusal
	}{
		{"not JSON", `{"ride"`, refusal{inference.NotJSON, ""}},
		{"NaN", `{"ride": {` + pair + `, "trip_distance": NaN}, "ride_id": 1}`, refusal{inference.NotJSON, ""}},
		{"a list", `[]`, refusal{inference.WrongType, ""}},
		{"a number", `7`, refusal{inference.WrongType, ""}},
		{"no ride", `{"ride_id": 1}`, refusal{inference.MissingField, "ride"}},
		{"a ride that is none", `{"ride": 5, "ride_id": 1}`, refusal{inference.WrongType, "ride"}},
		{"no drop-off", `{"ride": {"PULocationID": 130, "trip_distance": 1}, "ride_id": 1}`, refusal{inference.MissingField, "ride.DOLocationID"}},
		{"a list for an id", `{"ride": {"PULocationID": [130], "DOLocationID": 205, "trip_distance": 1}, "ride_id": 1}`, refusal{inference.WrongType, "ride.PULocationID"}},
		{"no miles", `{"ride": {` + pair + `}, "ride_id": 1}`, refusal{inference.MissingField, "ride.trip_distance"}},
		{"miles as text", `{"ride": {` + pair + `, "trip_distance": "3.66"}, "ride_id": 1}`, refusal{inference.WrongType, "ride.trip_distance"}},
		{"null miles", `{"ride": {` + pair + `, "trip_distance": null}, "ride_id": 1}`, refusal{inference.WrongType, "ride.trip_distance"}},
		{"miles as a list", `{"ride": {` + pair + `, "trip_distance": [1]}, "ride_id": 1}`, refusal{inference.WrongType, "ride.trip_distance"}},
		{"at the limit", `{"ride": {` + pair + `, "trip_distance": -1e38}, "ride_id": 1}`, refusal{inference.NotFinite, "ride.trip_distance"}},
		{"overflow", `{"ride": {` + pair + `, "trip_distance": 1e400}, "ride_id": 1}`, refusal{inference.NotFinite, "ride.trip_distance"}},
		{"no id", `{"ride": {` + pair + `, "trip_distance": 1}}`, refusal{inference.MissingField, "ride_id"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if _, _, r := encodeOne(fixture.Manifest(), test.doc); r == nil || *r != test.want {
				t.Errorf("got %v, want %v", r, test.want)
			}
		})
	}
}

// A feature that training had as text and as number, one only as text, and a
// number that takes NaN: DictVectorizer's rules, without a spec.
func TestEncodeByName(t *testing.T) {
	m := &bundle.Manifest{
		Columns: []bundle.Column{
			{Name: "both", Kind: "category", Path: []string{"both"}, Missing: "none", Null: "none", Other: "none", Unknown: "accept", Vocabulary: fixture.Words("", "a=b")},
			{Name: "both", Kind: "number", Path: []string{"both"}, Missing: "zero", Null: "reject", Text: "zero"},
			{Name: "zone", Kind: "category", Path: []string{"zone"}, Missing: "none", Null: "unknown", Other: "unknown", Unknown: "accept", Vocabulary: fixture.Words("1")},
			{Name: "n", Kind: "number", Path: []string{"n"}, Missing: "zero", Null: "nan", Text: "reject"},
		},
	}
	nan := math.NaN()
	for _, test := range []struct {
		doc     string
		want    []float64
		unknown int
	}{
		{`{}`, []float64{0, 0, 0, 0}, 0},
		{`{"both": ""}`, []float64{1, 0, 0, 0}, 0},
		{`{"both": "a=b"}`, []float64{2, 0, 0, 0}, 0},
		{`{"both": "c"}`, []float64{0, 0, 0, 0}, 1},
		{`{"both": 2.5}`, []float64{0, 2.5, 0, 0}, 0},
		{`{"both": true}`, []float64{0, 1, 0, 0}, 0},
		{`{"zone": "1"}`, []float64{0, 0, 1, 0}, 0},
		{`{"zone": 1}`, []float64{0, 0, 0, 0}, 1},
		{`{"zone": null}`, []float64{0, 0, 0, 0}, 1},
		{`{"n": null}`, []float64{0, 0, 0, nan}, 0},
		{`{"n": -1.7976931348623157e308}`, []float64{0, 0, 0, -math.MaxFloat64}, 0},
	} {
		row, out, r := encodeOne(m, test.doc)
		if r != nil || fmt.Sprint(row) != fmt.Sprint(test.want) || out.Unknown != test.unknown {
			t.Errorf("%s: got %v, %d unknown, %v; want %v, %d", test.doc, row, out.Unknown, r, test.want, test.unknown)
		}
	}
	for doc, want := range map[string]refusal{
		`{"both": ["a"]}`: {inference.WrongType, "both"},
		`{"both": null}`:  {inference.WrongType, "both"},
		`{"both": {}}`:    {inference.WrongType, "both"},
		`{"zone": ["1"]}`: {inference.WrongType, "zone"},
		`{"n": "1"}`:      {inference.WrongType, "n"},
		`{"n": 1e309}`:    {inference.NotFinite, "n"},
	} {
		if _, _, r := encodeOne(m, doc); r == nil || *r != want {
			t.Errorf("%s: got %v, want %v", doc, r, want)
		}
	}
}

func TestEncodeAllocatesNothing(t *testing.T) {
	e := compiled(fixture.Manifest())
	s := e.NewScratch()
	row := make([]float64, 2)
	doc := []byte(fixture.Ride("156", "3.66"))
	if n := testing.AllocsPerRun(100, func() { e.Encode(doc, row, s) }); n != 0 {
		t.Errorf("%v allocations a record", n)
	}
}

// FuzzEncode feeds the encoder anything: it says something sensible of it.
func FuzzEncode(f *testing.F) {
	f.Add([]byte(fixture.Ride("156", "3.66")))
	f.Add([]byte(fixture.Ride(`"\ud83d"`, "1e-400")))
	f.Add([]byte(`{"ride": {"PULocationID": "\ud83d\ude00", "DOLocationID": 1e400, "trip_distance": -0}, "ride_id": [1]}`))
	e := compiled(fixture.Manifest())
	s := e.NewScratch()
	f.Fuzz(func(t *testing.T, doc []byte) {
		row := []float64{-7, -7}
		out, r := e.Encode(doc, row, s)
		switch {
		case r != nil:
			return
		case row[0] != 0 && row[0] != 1 && row[0] != 2:
			t.Errorf("%q: code %v", doc, row[0])
		case !(math.Abs(row[1]) < 1e38):
			t.Errorf("%q: %v miles", doc, row[1])
		case out.ID.Kind == jsonscan.Absent || out.ID.Start >= out.ID.End:
			t.Errorf("%q: no id", doc)
		}
	})
}

// typed are columns whose words are of every type.
func typed() []bundle.Column {
	words := []bundle.Scalar{
		bundle.Word("a"),
		{Kind: jsonscan.Integer, JSON: "7", Text: "7"},
		{Kind: jsonscan.Float, JSON: "0.5", Text: "0.5"},
		{Kind: jsonscan.Boolean, JSON: "true", Text: "True"},
		{Kind: jsonscan.Integer, JSON: "9007199254740993", Text: "9007199254740993"},
		{Kind: jsonscan.Null, JSON: "null", Text: "None"},
	}
	return []bundle.Column{
		{Name: "any", Kind: "category", Path: []string{"c"}, Missing: "null", Other: "unknown", Unknown: "accept", Vocabulary: words},
		{Name: "texts", Kind: "category", Path: []string{"c"}, Missing: "none", Null: "none", Other: "none", Unknown: "accept", Vocabulary: words[:1]},
	}
}

func TestEncodeTypedAllocatesNothing(t *testing.T) {
	e := Compile(typed(), nil)
	s := e.NewScratch()
	row := make([]float64, 2)
	for _, doc := range []string{`{"c": "a"}`, `{"c": 7}`, `{"c": 5e-1}`, `{"c": true}`, `{"c": 9007199254740993}`, `{}`} {
		raw := []byte(doc)
		if n := testing.AllocsPerRun(100, func() { e.Encode(raw, row, s) }); n != 0 || row[0] == 0 {
			t.Errorf("%s: %v allocations, code %v", doc, n, row[0])
		}
	}
}

// A rejection says what was expected and what was found, and nothing of it.
func TestUnknownCategoryHidesTheValue(t *testing.T) {
	columns := typed()
	columns[0].Unknown = "reject"
	e := Compile(columns, nil)
	for doc, found := range map[string]string{`{"c": "secret"}`: "text", `{"c": 12345}`: "an integer"} {
		_, r := e.Encode([]byte(doc), make([]float64, 2), e.NewScratch())
		want := inference.Rejection{Reason: inference.UnknownCategory, Field: "c", Expected: "a category that training had", Found: found + " that it had not"}
		if r == nil || *r != want {
			t.Errorf("%s: got %+v, want %+v", doc, r, want)
		}
	}
}

// FuzzCategory feeds words of every type anything: a code is of an equal word.
func FuzzCategory(f *testing.F) {
	for _, v := range []string{`"a"`, `7.0`, `70e-1`, `5E-1`, `true`, `false`, `1`, `9007199254740992`, `9007199254740993.0`, `null`, `-0`, `1e400`, `[]`} {
		f.Add([]byte(`{"c": ` + v + `}`))
	}
	f.Add([]byte(`{}`))
	e := Compile(typed(), nil)
	s := e.NewScratch()
	f.Fuzz(func(t *testing.T, doc []byte) {
		row := []float64{-7, -7}
		out, r := e.Encode(doc, row, s)
		if r != nil {
			return
		}
		if row[0] < 0 || row[0] > 6 || (row[0] == 1) != (row[1] == 1) || row[1] > 1 || out.Unknown > 2 {
			t.Errorf("%q: codes %v, %d unknown", doc, row, out.Unknown)
		}
	})
}
