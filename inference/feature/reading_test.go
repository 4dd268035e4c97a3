package feature

import (
	"math"
	"testing"
	"time"

	"github.com/skiff-ml/skiff/inference/bundle"
	"github.com/skiff-ml/skiff/inference/internal/fixture"
)

// spec are columns of every kind and reading, of which none is always rejected.
func spec() []bundle.Column {
	number := func(c bundle.Column) bundle.Column {
		c.Name, c.Kind, c.Missing, c.Null = "n", bundle.Number, bundle.Default, bundle.Default
		c.Default = new(-7.0)
		return c
	}
	category := func(c bundle.Column) bundle.Column {
		c.Name, c.Kind, c.Missing, c.Null, c.Other, c.Unknown = "c", bundle.Category, bundle.Default, bundle.Default, bundle.Unknown, bundle.Accept
		c.Default = new(1.0)
		return c
	}
	hour := func(epoch, zone string) *bundle.Time { return &bundle.Time{Part: "hour", Epoch: epoch, Zone: zone} }
	return []bundle.Column{
		number(bundle.Column{Path: []string{"n"}, Text: bundle.InText, Min: new(0.0), Max: new(100.0)}),
		number(bundle.Column{Path: []string{"t"}, Text: bundle.Refuse, Time: hour("", bundle.AsWritten)}),
		number(bundle.Column{Path: []string{"t"}, Text: bundle.Refuse, Time: hour("", bundle.UTC)}),
		number(bundle.Column{Path: []string{"s"}, Text: bundle.InText, Time: hour(bundle.Milliseconds, "")}),
		category(bundle.Column{Path: []string{"t"}, Time: hour("", bundle.UTC), Vocabulary: fixture.Words("5", "17")}),
		category(bundle.Column{Template: []bundle.Part{{Path: []string{"a"}}, {Text: "_"}, {Path: []string{"b"}}}, Vocabulary: fixture.Words("1_2")}),
		{Name: "w", Kind: bundle.OneWord, Path: []string{"w"}, Word: new("x"), Missing: bundle.None, Null: bundle.None, Repeat: bundle.Count, Without: bundle.Zero},
		{Name: "k", Kind: bundle.Constant, Value: new(2.5)},
	}
}

func TestEncodeSpecAllocatesNothing(t *testing.T) {
	columns := spec()
	columns[5].Other = ""
	e := Compile(columns, nil)
	s := e.NewScratch()
	row := make([]float64, len(columns))
	for doc, want := range map[string][]float64{
		`{}`: {-7, -7, -7, -7, 1, 1, 0, 2.5},
		`{"n": null, "t": null, "s": "nan", "a": null, "w": null}`:                                                             {-7, -7, -7, -7, 1, 1, 0, 2.5},
		`{"n": " 1_0.5 ", "t": "2021-03-04T17:06:07.25+12:00", "s": 1614834367999, "a": 1, "b": 2, "w": ["x", "y", "\u0078"]}`: {10.5, 17, 5, 5, 1, 1, 2, 2.5},
		`{"n": "-inf", "t": "2021-03-04", "s": "1614834367999", "a": "1", "b": "2", "w": "x"}`:                                 {0, 0, 0, 5, 0, 1, 1, 2.5},
	} {
		raw := []byte(doc)
		if _, r := e.Encode(raw, row, s); r != nil {
			t.Fatalf("%s: %+v", doc, r)
		}
		for i := range row {
			if row[i] != want[i] {
				t.Errorf("%s: column %d is %v, want %v", doc, i, row[i], want[i])
			}
		}
		if n := testing.AllocsPerRun(100, func() { e.Encode(raw, row, s) }); n != 0 {
			t.Errorf("%s: %v allocations", doc, n)
		}
	}
}

// A rejection says what was expected and what was found, and nothing of it.
func TestUnreadableHidesTheValue(t *testing.T) {
	e := Compile(spec()[:4], nil)
	for doc, want := range map[string]string{
		`{"n": "secret"}`: "n: a number, maybe in text: text that is none",
		`{"t": "secret"}`: "t: a time in ISO 8601: text that is no such time, or one that pandas has not",
		`{"s": 1e18}`:     "s: a time in milliseconds since 1970: a number that is no such time, or one that pandas has not",
	} {
		_, r := e.Encode([]byte(doc), make([]float64, 4), e.NewScratch())
		if r == nil || r.Reason != "unreadable" || r.Field+": "+r.Expected+": "+r.Found != want {
			t.Errorf("%s: got %+v, want %s", doc, r, want)
		}
	}
}

// FuzzTime reads anything as a time: what RFC 3339 has, of pandas' years, is
// read as the time package reads it.
func FuzzTime(f *testing.F) {
	for _, text := range []string{"2021-03-04T05:06:07Z", "2021-03-04T23:30:59.5+02:00", "1678-01-01T00:00:00-12:00", "2021-02-29", "2021-03-04 05", "", "NaT"} {
		f.Add(text)
	}
	written, utc := compileTime(&bundle.Time{Part: "hour", Zone: bundle.AsWritten}), compileTime(&bundle.Time{Part: "day_of_year", Zone: bundle.UTC})
	f.Fuzz(func(t *testing.T, text string) {
		hour, is := written.ofText([]byte(text))
		day, also := utc.ofText([]byte(text))
		if is != also || is == wrongKind || !(hour >= 0 && hour < 24) || !(day >= 0 && day <= 366) {
			t.Fatalf("%q: %v %v, %v %v", text, hour, is, day, also)
		}
		at, err := time.Parse(time.RFC3339Nano, text)
		if err != nil || at.Year() < firstYear || at.Year() > lastYear || is == unreadable {
			return
		}
		if int(hour) != at.Hour() || int(day) != at.UTC().YearDay() {
			t.Errorf("%q: hour %v, day %v", text, hour, day)
		}
	})
}

// FuzzEpoch reads any number as a time: the whole second before it.
func FuzzEpoch(f *testing.F) {
	for _, x := range []float64{0, -0.5, 1614834367.999, 1 << 32, math.Inf(-1), math.NaN(), 0.9999999999} {
		f.Add(x)
	}
	second := compileTime(&bundle.Time{Part: "second", Epoch: bundle.Seconds})
	f.Fuzz(func(t *testing.T, x float64) {
		got, is := second.ofEpoch(x)
		if is == isNumber && got != math.Mod(math.Mod(math.Floor(x), 60)+60, 60) {
			t.Errorf("%v: second %v", x, got)
		}
		if is != isNumber && math.Abs(x) < 1<<32 && x == math.Floor(x) {
			t.Errorf("%v: it is no time", x)
		}
	})
}
