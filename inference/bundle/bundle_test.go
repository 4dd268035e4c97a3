package bundle

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
)

// taxi returns a manifest of the taxi kind with two known pairs.
func taxi() *Manifest {
	return &Manifest{
		Header: Header{
			Format: Format, RunID: "run1", Model: "ride_duration_prediction_model",
			ID: &IDField{Name: "ride_id", Path: []string{"ride_id"}},
		},
		Outputs: []Output{{Name: "ride_duration", Kind: "number", Width: 1, Link: "identity", Unit: "minutes"}},
		Columns: []Column{
			{
				Name: "PU_DO", Kind: "category", Missing: "reject", Unknown: "accept", Vocabulary: []Scalar{Word("130_205"), Word("ü_\"None")},
				Template: []Part{{Path: []string{"ride", "PULocationID"}}, {Text: "_"}, {Path: []string{"ride", "DOLocationID"}}},
			},
			{
				Name: "trip_distance", Kind: "number", Path: []string{"ride", "trip_distance"},
				Missing: "reject", Null: "reject", Text: "reject", Limit: new(1e38),
			},
		},
	}
}

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
const goldens = `{"record": "{\"ride\": {\"PULocationID\": 130, \"DOLocationID\": 205, \"trip_distance\": 3.66}, \"ride_id\": 1}", "outputs": {"ride_duration": 103.66}}
{"record": "{\"ride\": {\"PULocationID\": 1, \"DOLocationID\": 205, \"trip_distance\": 1}, \"ride_id\": 1}", "outputs": {"ride_duration": 1.5}, "within": 0.001}
{"record": "{\"ride\": {}}", "reject": "missing_field", "field": "ride.PULocationID"}
`

func TestOpen(t *testing.T) {
	dir := writeBundle(t, goldens, nil)
	for _, runID := range []string{"", "run1"} {
		b, err := Open(context.Background(), dir, runID)
		if err != nil {
			t.Fatal(err)
		}
		if b.Manifest.RunID != "run1" || string(b.Model) != "model" || len(b.Goldens) != 3 {
			t.Errorf("got %+v", b)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
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
		class  error
	}{
		{"another run", func(m *Manifest) { m.RunID = "run2" }, nil, "is of another run: run2, not run1", ErrOtherRun},
		{"a later format", func(m *Manifest) { m.Format = 9 }, nil, "format 9, and this worker reads formats 1 to 3", ErrFormat},
		{"a run id that is a path", func(m *Manifest) { m.RunID = "../run1" }, nil, "not a run id", ErrInvalid},
		{"no prediction", func(m *Manifest) { m.Outputs[0].Name = "" }, nil, "names no prediction", ErrInvalid},
		{"an id without a path", func(m *Manifest) { m.ID.Path = nil }, nil, "the id has no name or no path", ErrInvalid},
		{"an output of no width", func(m *Manifest) { m.Outputs[0].Width = 0 }, nil, "width of 0", ErrInvalid},
		{"an output of another kind", func(m *Manifest) { m.Outputs[0].Kind = "word" }, nil, `is "word", not one of number, label`, ErrInvalid},
		{"an id with the prediction's name", func(m *Manifest) { m.ID.Name = "ride_duration" }, nil, `two fields of the output have the name "ride_duration"`, ErrInvalid},
		{"two outputs of a name", func(m *Manifest) { m.Outputs = append(m.Outputs, m.Outputs[0]) }, nil, "two fields of the output", ErrInvalid},
		{"no words", func(m *Manifest) { m.Columns[0].Vocabulary = nil }, nil, "has no words", ErrInvalid},
		{"a repeated word", func(m *Manifest) { m.Columns[0].Vocabulary[1] = Word("130_205") }, nil, `word "130_205" is repeated`, ErrInvalid},
		{"a number with words", func(m *Manifest) { m.Columns[1].Vocabulary = []Scalar{Word("a")} }, nil, "vocabulary is no field of kind number", ErrInvalid},
		{"a negative limit", func(m *Manifest) { m.Columns[1].Limit = new(-1.0) }, nil, "its limit is -1", ErrInvalid},
		{"a template with a rule for other values", func(m *Manifest) { m.Columns[0].Other = "none" }, nil, "every value in a template is text", ErrInvalid},
		{"no columns", func(m *Manifest) { m.Columns = nil }, nil, "no columns", ErrInvalid},
		{"a kind it doesn't know", func(m *Manifest) { m.Columns[0].Kind = "text" }, nil, `kind is "text"`, ErrInvalid},
		{"a rule it doesn't know", func(m *Manifest) { m.Columns[1].Null = "mean" }, nil, `null is "mean"`, ErrInvalid},
		{"a text rule it doesn't know", func(m *Manifest) { m.Columns[1].Text = "" }, nil, `text is ""`, ErrInvalid},
		{"a missing rule it doesn't know", func(m *Manifest) { m.Columns[1].Missing = "" }, nil, `missing is ""`, ErrInvalid},
		{"a column of nothing", func(m *Manifest) { m.Columns[1].Path = nil }, nil, "needs a path or a template", ErrInvalid},
		{"a template of nothing", func(m *Manifest) { m.Columns[0].Template[0] = Part{} }, nil, "needs a path or a text", ErrInvalid},
		{"a template that may be missing", func(m *Manifest) { m.Columns[0].Missing = "zero" }, nil, `missing is "zero"`, ErrInvalid},
		{"a number by template", func(m *Manifest) { m.Columns[0].Kind = "number"; m.Columns[0].Vocabulary = nil }, nil, "template is no field of kind number", ErrInvalid},
		{"a manifest that is none", nil, write(ManifestFile, `{"format": 1`), "unexpected EOF", ErrInvalid},
		{"a manifest of the future", nil, write(ManifestFile, `{"format": 2, "run_id": "run1", "surprise": 1}`), `unknown object member name "surprise"`, ErrInvalid},
		{"something after the manifest", nil, write(ManifestFile, `{"format": 1} x`), "invalid character", ErrInvalid},
		{"an altered model", nil, write(ModelFile, "modal"), "model.onnx of run run1 was altered", ErrAltered},
		{"altered goldens", nil, write(GoldenFile, goldens+goldens), "golden.jsonl of run run1 was altered", ErrAltered},
		{"no model", nil, remove(ModelFile), "is not whole", ErrIncomplete},
		{"no goldens", nil, remove(GoldenFile), "is not whole", ErrIncomplete},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := writeBundle(t, goldens, test.change)
			if test.damage != nil {
				if err := test.damage(dir); err != nil {
					t.Fatal(err)
				}
			}
			_, err := Open(context.Background(), dir, "run1")
			if err == nil || !strings.Contains(err.Error(), test.want) || !errors.Is(err, test.class) {
				t.Errorf("got %v; want %q of class %v", err, test.want, test.class)
			}
		})
	}
}

func TestOpenRefusesGoldens(t *testing.T) {
	for goldens, want := range map[string]string{
		``: "no records",
		goldens + `{"record": "{}", "reject": "not_json"} x`: "line 4",
		`{"record": "{}"}`: "line 1: it needs either",
		`{"record": "{}", "outputs": {"ride_duration": NaN}`:                                                   "line 1",
		goldens + `{"record": "{}", "outputs": {"ride_duration": 1}, "reject": "not_json"}`:                    "line 4: it needs either",
		goldens + `{"record": "{}", "prediction": 1}`:                                                          "line 4: a prediction is of format 1",
		goldens + `{"record": "{}", "outputs": {"minutes": 1}}`:                                                "line 4: it has no output ride_duration",
		goldens + `{"record": "{}", "outputs": {"ride_duration": null}}`:                                       "line 4: null stands for nothing",
		goldens + `{"record": "{}", "outputs": {"ride_duration": [1]}}`:                                        "line 4: its output ride_duration",
		goldens + `{"record": "{}", "outputs": {"ride_duration": 1}, "within": -1}`:                            "line 4: its bound is -1",
		goldens + `{"record": "{}", "outputs": {"ride_duration": 1}, "within": 1e309}`:                         "line 4",
		goldens + `{"record": "{}", "outputs": {"ride_duration": 1, "ride_duration": 1}}`:                      "line 4: ",
		`{"record": "{}", "reject": "not_json"}`:                                                               "no predictions",
		strings.Repeat(`{"record": "{}", "outputs": {"ride_duration": 1}, "within": 1e300}`+"\n", 3) + goldens: "of its 5 predictions 3 have a bound",
	} {
		_, err := Open(context.Background(), writeBundle(t, goldens, nil), "run1")
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", goldens, err, want)
		}
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
	f.Add(bytes.Replace(raw, []byte(`["130_205",`), []byte(`[7, 0.5, true, null, `), 1))
	f.Add(bytes.Replace(raw, []byte(`"kind":"number","width":1`), []byte(`"kind":"label","width":1,"labels":["a",7],"decide":"scores"`), 1))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if m, err := ParseManifest(raw); err == nil && (m.Width() < 1 || m.Fingerprint == "") {
			t.Errorf("a manifest without outputs or fingerprint: %+v", m)
		}
	})
}

func FuzzGoldens(f *testing.F) {
	f.Add([]byte(goldens))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if goldens, err := parseGoldens(raw, taxi()); err == nil && len(goldens) == 0 {
			t.Error("no goldens, and no error")
		}
	})
}
