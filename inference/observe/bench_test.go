package observe_test

import (
	"io"
	"testing"

	"github.com/skiff-ml/skiff/inference"
	"github.com/skiff-ml/skiff/inference/observe"
)

// What it costs to measure a batch of 1,000.
func BenchmarkObserve(b *testing.B) {
	big := &inference.Batch{}
	big.Reset(1000)
	for i := range big.Outcomes {
		big.Outcomes[i].Fate = inference.Published
	}
	big.Columns = []inference.Column{{Name: "PU_DO", Unknown: 5}, {Name: "trip_distance"}}
	for name, o := range map[string]*observe.Observer{
		"emf": {EMF: observe.NewEMF(io.Discard, "skiff", "rides")}, "totals": {Totals: observe.NewTotals()},
	} {
		b.Run(name, func(b *testing.B) {
			ctx := observe.With(b.Context())
			b.ReportAllocs()
			for b.Loop() {
				o.Observe(ctx, big, nil)
			}
		})
	}
}
