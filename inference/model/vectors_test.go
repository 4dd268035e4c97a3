package model_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/skiff-ml/skiff/inference"
	"github.com/skiff-ml/skiff/inference/bundle"
	"github.com/skiff-ml/skiff/inference/model"
)

// An outputVector is one of the contract's: outputs, and what becomes of scores.
type outputVector struct {
	Name    string
	Outputs json.RawMessage
	Cases   []struct {
		Scores     []any
		Prediction string
		NotFinite  string `json:"not_finite"`
	}
}

// TestOutputVectors serves each vector as a bundle, whose one column is the
// number of the case, and whose goldens are what is predicted.
func TestOutputVectors(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join("..", "bundle", "vectors", "outputs.json"))
	if err != nil {
		t.Fatal(err)
	}
	var vectors []outputVector
	if err := json.Unmarshal(raw, &vectors); err != nil {
		t.Fatal(err)
	}
	if len(vectors) < 30 {
		t.Fatalf("%d vectors", len(vectors))
	}
	for i := range vectors {
		t.Run(vectors[i].Name, func(t *testing.T) { vectors[i].run(t) })
	}
}

func (v *outputVector) run(t *testing.T) {
	t.Helper()
	var goldens strings.Builder
	scores := make(table, len(v.Cases))
	for i, c := range v.Cases {
		scores[i] = numbers(t, c.Scores)
		if c.NotFinite == "" {
			fmt.Fprintf(&goldens, "{\"record\": \"{\\\"n\\\": %d}\", \"outputs\": %s}\n", i, c.Prediction)
		}
	}
	opened, err := bundle.Open(context.Background(), files(v.Outputs, goldens.String()), "run1")
	if err != nil {
		t.Fatal(err)
	}
	served, err := model.New(opened, scores)
	if err != nil {
		t.Fatal(err)
	}
	var b inference.Batch
	b.Reset(len(v.Cases))
	for i := range b.Items {
		b.Items[i].Data = fmt.Appendf(nil, `{"n": %d}`, i)
	}
	if err := served.Predict(&b); err != nil {
		t.Fatal(err)
	}
	got := make([]string, len(v.Cases))
	for i, item := range b.Sent {
		got[item] = string(b.Messages[i].Data)
	}
	for i, c := range v.Cases {
		if c.NotFinite != "" {
			if r := b.Outcomes[i].Rejection; r == nil || r.Reason != inference.NotFinite || r.Field != c.NotFinite {
				t.Errorf("%v: got %s %+v, want %s not finite", c.Scores, got[i], r, c.NotFinite)
			}
			continue
		}
		if want := `{"model":"m","version":"run1","prediction":` + c.Prediction + `}`; got[i] != want {
			t.Errorf("%v:\ngot  %s\nwant %s", c.Scores, got[i], want)
		}
	}
}

// A table is a scorer of one column, the index of a row of it.
type table [][]float64

func (s table) Score(x, y []float64) error {
	for _, i := range x {
		y = y[copy(y, s[int(i)]):]
	}
	return nil
}

// numbers returns the numbers of a vector: JSON's, or the names of those that
// JSON has not.
func numbers(t *testing.T, values []any) []float64 {
	t.Helper()
	all := make([]float64, len(values))
	for i, v := range values {
		switch v := v.(type) {
		case float64:
			all[i] = v
		case string:
			var err error
			if all[i], err = strconv.ParseFloat(v, 64); err != nil {
				t.Fatal(err)
			}
		}
	}
	return all
}

// A folder is a bundle in memory.
type folder map[string]string

func (f folder) ReadFile(_ context.Context, name string) ([]byte, error) {
	return []byte(f[name]), nil
}

// files returns a bundle with one column, a number, and these outputs and
// goldens.
func files(outputs json.RawMessage, goldens string) folder {
	f := folder{bundle.ModelFile: "model", bundle.GoldenFile: goldens}
	sum := func(name string) string {
		s := sha256.Sum256([]byte(f[name]))
		return hex.EncodeToString(s[:])
	}
	f[bundle.ManifestFile] = fmt.Sprintf(`{"format": 3, "run_id": "run1", "model": "m", "outputs": %s,
		"columns": [{"name": "n", "kind": "number", "path": ["n"], "missing": "reject", "null": "reject", "text": "reject"}],
		"files": {"model.onnx": %q, "golden.jsonl": %q}}`, outputs, sum(bundle.ModelFile), sum(bundle.GoldenFile))
	return f
}
