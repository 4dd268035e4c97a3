package feature

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/skiff-ml/skiff/inference"
	"github.com/skiff-ml/skiff/inference/bundle"
)

// TestRecordVectors runs the contract's vectors of what columns make of records,
// which the converter's tests run as well.
func TestRecordVectors(t *testing.T) {
	for name, atLeast := range map[string]int{"records.json": 20, "records-3.json": 100, "records-entries.json": 5, "records-spec.json": 30} {
		t.Run(name, func(t *testing.T) { recordVectors(t, name, atLeast) })
	}
}

func recordVectors(t *testing.T, name string, atLeast int) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "bundle", "vectors", name))
	if err != nil {
		t.Fatal(err)
	}
	var vectors []struct {
		Name    string
		Format  int
		ID      json.RawMessage
		Empty   string
		Columns json.RawMessage
		Cases   []struct {
			Record  string
			Row     []any
			Reject  *struct{ Reason, Field string }
			Unknown int
			ID      *string
		}
	}
	if err := json.Unmarshal(raw, &vectors); err != nil {
		t.Fatal(err)
	}
	if len(vectors) < atLeast {
		t.Fatalf("%d vectors", len(vectors))
	}
	for _, v := range vectors {
		t.Run(v.Name, func(t *testing.T) {
			m := parse(t, v.Format, v.ID, v.Columns)
			plan := Compile(m.Columns, m.ID)
			if v.Empty != "" {
				plan.RefuseEmpty()
			}
			s := plan.NewScratch()
			for _, c := range v.Cases {
				row := make([]float64, plan.Width())
				out, r := plan.Encode([]byte(c.Record), row, s)
				if c.Reject != nil {
					if r == nil || r.Reason != inference.Reason(c.Reject.Reason) || r.Field != c.Reject.Field {
						t.Errorf("%s: got %+v, want %+v", c.Record, r, c.Reject)
					}
					continue
				}
				if r != nil {
					t.Errorf("%s: rejected: %+v", c.Record, r)
					continue
				}
				for i := range row {
					if want := number64(t, c.Row[i]); math.Float64bits(row[i]) != math.Float64bits(want) && !(math.IsNaN(want) && math.IsNaN(row[i])) {
						t.Errorf("%s: column %d is %v, want %v", c.Record, i, row[i], want)
					}
				}
				if out.Unknown != c.Unknown {
					t.Errorf("%s: %d unknown, want %d", c.Record, out.Unknown, c.Unknown)
				}
				if c.ID != nil && string(out.ID.Raw([]byte(c.Record))) != *c.ID {
					t.Errorf("%s: id %s, want %s", c.Record, out.ID.Raw([]byte(c.Record)), *c.ID)
				}
			}
		})
	}
}

// parse reads a manifest with these columns.
func parse(t *testing.T, format int, id, columns json.RawMessage) *bundle.Manifest {
	t.Helper()
	manifest := map[string]any{"format": format, "run_id": "run1", "model": "m", "columns": columns, "files": map[string]string{
		bundle.ModelFile: strings.Repeat("0", 64), bundle.GoldenFile: strings.Repeat("0", 64),
	}}
	output := map[string]any{"name": "y", "kind": "number", "width": 1}
	switch format {
	case 1:
		manifest["prediction"] = map[string]string{"name": "y"}
	case 2:
		manifest["outputs"] = []any{output}
	default:
		output["link"] = "identity"
		manifest["outputs"] = []any{output}
	}
	if id != nil {
		manifest["id"] = id
	}
	raw, err := json.Marshal(manifest)
	if err != nil {
		t.Fatal(err)
	}
	m, err := bundle.ParseManifest(raw)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// number64 returns a number of the vectors: a JSON number, or the name of one
// that JSON has not.
func number64(t *testing.T, v any) float64 {
	t.Helper()
	switch v := v.(type) {
	case float64:
		return v
	case string:
		f, err := strconv.ParseFloat(v, 64)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	t.Fatalf("%v is no number", v)
	return 0
}
