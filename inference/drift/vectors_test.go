package drift_test

import (
	"math"
	"os"
	"reflect"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/skiff-ml/skiff/inference"
	"github.com/skiff-ml/skiff/inference/bundle"
	"github.com/skiff-ml/skiff/inference/drift"
)

// A vector is one of SPEC.md's, which the converter's tests run as well.
type vector struct {
	Name    string
	OK      bool
	Columns []bundle.Column
	Outputs []bundle.Output
	Sketch  jsontext.Value
	X       [][]any
	Numbers [][]any
	Labels  [][]int
	Counts  [][]int
}

func vectors(t *testing.T) (all []vector) {
	t.Helper()
	raw, err := os.ReadFile("../bundle/vectors/sketches.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &all, json.MatchCaseInsensitiveNames(true)); err != nil {
		t.Fatal(err)
	}
	if len(all) < 20 {
		t.Fatalf("%d vectors", len(all))
	}
	return all
}

// batch returns what the vector has to count.
func (v *vector) batch() *drift.Batch {
	b := &drift.Batch{X: flat(v.X), Numbers: flat(v.Numbers)}
	for _, row := range v.Labels {
		b.Labels = append(b.Labels, row...)
	}
	for i := range v.Columns {
		b.Columns = append(b.Columns, inference.Column{Name: v.Columns[i].Name, Missing: i + 2, Null: 1, Unknown: i})
	}
	return b
}

func flat(rows [][]any) (all []float64) {
	for _, row := range rows {
		for _, x := range row {
			switch x := x.(type) {
			case float64:
				all = append(all, x)
			case string:
				all = append(all, map[string]float64{"nan": math.NaN(), "inf": math.Inf(1), "-0.0": math.Copysign(0, -1)}[x])
			}
		}
	}
	return all
}

func TestVectors(t *testing.T) {
	for _, v := range vectors(t) {
		m := &bundle.Manifest{Header: bundle.Header{RunID: "r", Files: map[string]string{bundle.SketchFile: "s"}}, Columns: v.Columns, Outputs: v.Outputs}
		s, err := bundle.ParseSketch(v.Sketch, m)
		if (err == nil) != v.OK {
			t.Errorf("%s: got %v", v.Name, err)
		}
		if err != nil || !v.OK {
			continue
		}
		c := drift.NewCounter(m, s)
		c.Add(v.batch())
		hours, err := c.Take(true)
		if err != nil {
			t.Fatal(v.Name, err)
		}
		if len(v.X) == 0 { // nothing to tell, but of what is predicted
			c.Add(&drift.Batch{X: make([]float64, len(m.Columns)), Columns: v.batch().Columns, Numbers: v.batch().Numbers, Labels: v.batch().Labels})
			hours, err = c.Take(true)
			v.Counts = nil
		}
		if err != nil || len(hours) != 1 {
			t.Fatal(v.Name, err, len(hours))
		}
		got := [][]int{}
		for i, column := range hours[0].Columns {
			got = append(got, column.Counts)
			if at := s.Columns[i].Column; column.Missing != at+1 || column.Null != 1 || column.Unknown != at {
				t.Errorf("%s: column %d has %+v", v.Name, at, column)
			}
		}
		got = append(got, hours[0].Outputs...)
		if v.Counts != nil && !reflect.DeepEqual(got, v.Counts) {
			t.Errorf("%s: got %v, want %v", v.Name, got, v.Counts)
		}
	}
}
