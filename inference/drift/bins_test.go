package drift_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/skiff-ml/skiff/inference"
	"github.com/skiff-ml/skiff/inference/bundle"
	"github.com/skiff-ml/skiff/inference/drift"
)

// A number is in the bin that SPEC.md says, however many edges there are: of any
// number, the edges themselves and those next to them.
func TestBinsOfNumbers(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	for many := range 40 {
		edges := make([]float64, 0, many)
		for len(edges) < many {
			edges = append(edges, math.Float64frombits(random.Uint64()))
			if e := edges[len(edges)-1]; math.IsNaN(e) || math.IsInf(e, 0) {
				edges = edges[:len(edges)-1]
			}
		}
		if many > 3 {
			edges[0], edges[1], edges[2] = 0, math.SmallestNonzeroFloat64, math.MaxFloat64
		}
		slices.Sort(edges)
		edges = slices.Compact(edges)
		values := []float64{0, math.Copysign(0, -1), math.NaN(), math.Inf(1), math.Inf(-1), 1, -1, math.MaxFloat64, -math.MaxFloat64}
		for _, e := range edges {
			values = append(values, e, math.Nextafter(e, math.Inf(1)), math.Nextafter(e, math.Inf(-1)))
		}
		want := make([]int, len(edges)+2)
		for _, x := range values {
			bin := 0
			for _, e := range edges {
				if x >= e {
					bin++
				}
			}
			if math.IsNaN(x) {
				bin = len(edges) + 1
			}
			want[bin]++
		}
		m := &bundle.Manifest{Columns: []bundle.Column{{Kind: bundle.Number}}}
		s := &bundle.Sketch{Columns: []bundle.SketchedColumn{{Edges: edges, Counts: make([]int, len(want))}}}
		c := drift.NewCounter(m, s)
		c.Add(&drift.Batch{X: values, Columns: make([]inference.Column, 1)})
		hours, err := c.Take(true)
		if err != nil || len(hours) != 1 {
			t.Fatal(err, len(hours))
		}
		if got := hours[0].Columns[0].Counts; !slices.Equal(got, want) {
			t.Errorf("%d edges: got %v, want %v", len(edges), got, want)
		}
	}
}
