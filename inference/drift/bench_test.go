package drift_test

import (
	"math/rand/v2"
	"testing"

	"github.com/skiff-ml/skiff/inference/drift"
)

// A batch of 1,000 records of a category, a number and two outputs.
func BenchmarkAdd(b *testing.B) {
	c, batch := drift.NewCounter(model()), some(rand.New(rand.NewPCG(1, 1)), 1000, false)
	b.ReportAllocs()
	for b.Loop() {
		c.Add(batch)
	}
}
