package source

import (
	"context"
	"fmt"
	"testing"

	"github.com/skiff-ml/skiff/inference/internal/fixture"
)

// BenchmarkInvoke is an invocation of 1,000 records of one plain document each,
// with next to no model: what reading and answering cost.
func BenchmarkInvoke(b *testing.B) {
	k, log := newSource(nil)
	records := make([]string, 1000)
	for i := range records {
		records[i] = fixture.Ride(fmt.Sprint(i), "3.66")
	}
	payload := fixture.Event(records...)
	b.SetBytes(int64(len(payload)))
	b.ReportAllocs()
	for b.Loop() {
		log.Reset()
		if _, err := k.Invoke(context.Background(), payload); err != nil {
			b.Fatal(err)
		}
	}
}
