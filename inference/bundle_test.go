package inference

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// writeBundle writes the taxi kind's bundle, whose model is the word "model",
// and returns its folder. change may alter the manifest.
func writeBundle(t *testing.T, goldens string, change func(*Manifest)) Dir {
	t.Helper()
	dir := t.TempDir()
	m := taxi()
	m.Files = map[string]string{
		ModelFile:  fmt.Sprintf("%x", sha256.Sum256([]byte("model"))),
		GoldenFile: fmt.Sprintf("%x", sha256.Sum256([]byte(goldens))),
	}
	if change != nil {
		change(m)
	}
	raw, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string]string{ManifestFile: string(raw), ModelFile: "model", GoldenFile: goldens} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return Dir(dir)
}

// goldens are what sum predicts of some rides.
const goldens = `{"record": "{\"ride\": {\"PULocationID\": 130, \"DOLocationID\": 205, \"trip_distance\": 3.66}, \"ride_id\": 1}", "prediction": 103.66}
{"record": "{\"ride\": {\"PULocationID\": 1, \"DOLocationID\": 205, \"trip_distance\": 1}, \"ride_id\": 1}", "prediction": 1.5, "within": 0.5}
{"record": "{\"ride\": {}}", "reject": "missing_field", "field": "ride.PULocationID"}
`

func TestOpenBundle(t *testing.T) {
	dir := writeBundle(t, goldens, nil)
	for _, runID := range []string{"", "run1"} {
		b, err := OpenBundle(context.Background(), dir, runID)
		if err != nil {
			t.Fatal(err)
		}
		if b.Manifest.RunID != "run1" || string(b.Model) != "model" || len(b.Goldens) != 3 {
			t.Errorf("got %+v", b)
		}
		if err := proveAlone(b, sum); err != nil {
			t.Error(err)
		}
	}
}

func TestOpenBundleRefuses(t *testing.T) {
	write := func(name, data string) func(Dir) error {
		return func(d Dir) error { return os.WriteFile(filepath.Join(string(d), name), []byte(data), 0o600) }
	}
	remove := func(name string) func(Dir) error {
		return func(d Dir) error { return os.Remove(filepath.Join(string(d), name)) }
	}
	for _, test := range []struct {
		name   string
		change func(*Manifest)
		damage func(Dir) error
		want   string
	}{
		{"another run", func(m *Manifest) { m.RunID = "run2" }, nil, "is of run run2, not of run1"},
		{"a later format", func(m *Manifest) { m.Format = 2 }, nil, "format 2, and this worker reads format 1"},
		{"a run id that is a path", func(m *Manifest) { m.RunID = "../run1" }, nil, "not a run id"},
		{"no prediction", func(m *Manifest) { m.Prediction.Name = "" }, nil, "names no prediction"},
		{"an id without a path", func(m *Manifest) { m.ID.Path = nil }, nil, "the id has no name or no path"},
		{"no columns", func(m *Manifest) { m.Columns = nil }, nil, "no columns"},
		{"a kind it doesn't know", func(m *Manifest) { m.Columns[0].Kind = "word" }, nil, `kind is "word"`},
		{"a rule it doesn't know", func(m *Manifest) { m.Columns[1].Null = "mean" }, nil, `null is "mean"`},
		{"a text rule it doesn't know", func(m *Manifest) { m.Columns[1].Text = "" }, nil, `text is ""`},
		{"a missing rule it doesn't know", func(m *Manifest) { m.Columns[1].Missing = "" }, nil, `missing is ""`},
		{"a column of nothing", func(m *Manifest) { m.Columns[1].Path = nil }, nil, "needs a path or a template"},
		{"a template of nothing", func(m *Manifest) { m.Columns[0].Template[0] = Part{} }, nil, "needs a path or a text"},
		{"a template that may be missing", func(m *Manifest) { m.Columns[0].Missing = "zero" }, nil, "no text where a part"},
		{"a number by template", func(m *Manifest) { m.Columns[0].Kind = "number" }, nil, "not a template"},
		{"a manifest that is none", nil, write(ManifestFile, `{"format": 1`), "unexpected EOF"},
		{"a manifest of the future", nil, write(ManifestFile, `{"format": 1, "run_id": "run1", "surprise": 1}`), `unknown field "surprise"`},
		{"something after the manifest", nil, write(ManifestFile, `{"format": 1} x`), "there is something after its end"},
		{"an altered model", nil, write(ModelFile, "modal"), "model.onnx of run run1 was altered"},
		{"altered goldens", nil, write(GoldenFile, goldens+goldens), "golden.jsonl of run run1 was altered"},
		{"no model", nil, remove(ModelFile), "is not whole"},
		{"no goldens", nil, remove(GoldenFile), "is not whole"},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := writeBundle(t, goldens, test.change)
			if test.damage != nil {
				if err := test.damage(dir); err != nil {
					t.Fatal(err)
				}
			}
			_, err := OpenBundle(context.Background(), dir, "run1")
			if err == nil || !strings.Contains(err.Error(), test.want) || Hint(err) == "" {
				t.Errorf("got %v, hint %q; want %q", err, Hint(err), test.want)
			}
		})
	}
}

func TestOpenBundleRefusesGoldens(t *testing.T) {
	for goldens, want := range map[string]string{
		``: "no records",
		goldens + `{"record": "{}", "reject": "not_json"} x`: "line 4: there is something after its end",
		`{"record": "{}"}`:                   "line 1: it needs either",
		`{"record": "{}", "prediction": NaN`: "line 1",
		goldens + `{"record": "{}", "prediction": 1, "reject": "not_json"}`: "line 4: it needs either",
	} {
		_, err := OpenBundle(context.Background(), writeBundle(t, goldens, nil), "run1")
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", goldens, err, want)
		}
	}
}

// proveAlone is what NewHandler does before there is a handler.
func proveAlone(b *Bundle, scorer Scorer) error {
	_, err := NewHandler(b, scorer, nil, slog.New(slog.DiscardHandler))
	return err
}

func TestProveRefuses(t *testing.T) {
	record := func(miles, rest string) string {
		return fmt.Sprintf(`{"record": "{\"ride\": {\"PULocationID\": 130, \"DOLocationID\": 205, \"trip_distance\": %s}, \"ride_id\": 1}", %s}`, miles, rest)
	}
	for name, golden := range map[string]string{
		"one bit off":            record("3.66", `"prediction": 103.66000000000001`),
		"the other zero":         record("-100", `"prediction": -0.0`),
		"out of bounds":          record("3.66", `"prediction": 104, "within": 0.3`),
		"rejected, not wanted":   record(`\"3\"`, `"prediction": 103`),
		"wanted, not rejected":   record(`3`, `"reject": "wrong_type", "field": "ride.trip_distance"`),
		"rejected for other":     record(`null`, `"reject": "not_finite", "field": "ride.trip_distance"`),
		"rejected for elsewhere": record(`null`, `"reject": "wrong_type", "field": "ride"`),
	} {
		t.Run(name, func(t *testing.T) {
			b, err := OpenBundle(context.Background(), writeBundle(t, goldens+golden, nil), "run1")
			if err != nil {
				t.Fatal(err)
			}
			if err := proveAlone(b, sum); err == nil || Hint(err) == "" || !strings.Contains(err.Error(), "golden 4") {
				t.Errorf("got %v", err)
			}
		})
	}
}

// NaN is within no bound.
func TestProveRefusesNaN(t *testing.T) {
	b, err := OpenBundle(context.Background(), writeBundle(t, goldens, nil), "run1")
	if err != nil {
		t.Fatal(err)
	}
	nan := scorerFunc(func([]float64) float64 { return math.NaN() })
	b.Goldens = b.Goldens[1:2]
	b.Goldens[0].Within = 1e300
	if err := proveAlone(b, sum); err != nil {
		t.Error(err)
	}
	if err := proveAlone(b, nan); err == nil {
		t.Error("NaN passes")
	}
}

func TestCheckRunID(t *testing.T) {
	for id, ok := range map[string]bool{
		"0123456789abcdef0123456789abcdef": true, "m-1_A": true,
		"": false, ".": false, "..": false, "a/b": false, "a b": false, "é": false, strings.Repeat("a", 65): false,
	} {
		if err := CheckRunID(id); (err == nil) != ok {
			t.Errorf("%q: got %v", id, err)
		}
	}
}

// FuzzManifest and FuzzGoldens read whatever is in a bundle's folder.
func FuzzManifest(f *testing.F) {
	raw, err := json.Marshal(taxi())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Fuzz(func(_ *testing.T, raw []byte) {
		var m Manifest
		if parseManifest(raw, &m) == nil {
			encodeOne(&m, `{"ride": {"PULocationID": 1}}`) // a manifest that is taken can be used
		}
	})
}

func FuzzGoldens(f *testing.F) {
	f.Add([]byte(goldens))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if goldens, err := parseGoldens(raw); err == nil && len(goldens) == 0 {
			t.Error("no goldens, and no error")
		}
	})
}
