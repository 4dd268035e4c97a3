package drift_test

import (
	"math/rand/v2"
	"testing"

	"github.com/skiff-ml/skiff/inference"
	"github.com/skiff-ml/skiff/inference/bundle"
	"github.com/skiff-ml/skiff/inference/drift"
)

// A batch of 1,000 records like the taxi's: 7,702 words, a number, and one that is
// predicted, in bins as the converter makes them.
func BenchmarkAdd(b *testing.B) {
	random := rand.New(rand.NewPCG(1, 1))
	edges := []float64{0.6, 0.9, 1.1, 1.3, 1.6, 2, 2.5, 3.7, 6.8}
	m := &bundle.Manifest{
		Columns: []bundle.Column{{Name: "PU_DO", Kind: bundle.Category}, {Name: "trip_distance", Kind: bundle.Number}},
		Outputs: []bundle.Output{{Kind: bundle.Number, Width: 1, Link: bundle.Identity}},
	}
	s := &bundle.Sketch{
		Columns: []bundle.SketchedColumn{
			{Column: 0, Bins: make([]int, 7702), Counts: make([]int, 22)}, {Column: 1, Edges: edges, Counts: make([]int, 11)},
		},
		Outputs: []bundle.SketchedOutput{{Edges: edges, Counts: make([]int, 11)}},
	}
	for i := range s.Columns[0].Bins {
		s.Columns[0].Bins[i] = 1 + random.IntN(21)
	}
	batch := &drift.Batch{Columns: make([]inference.Column, 2)}
	for range 1000 {
		batch.X = append(batch.X, float64(random.IntN(7703)), random.ExpFloat64()*3)
		batch.Numbers = append(batch.Numbers, random.ExpFloat64()*3)
	}
	c := drift.NewCounter(m, s)
	b.ReportAllocs()
	for b.Loop() {
		c.Add(batch)
	}
}
