package sink

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/skiff-ml/skiff/inference"
)

// A slow stream takes everything, 10 ms after it was asked to.
type slow struct{ requests atomic.Int64 }

func (s *slow) Put(context.Context, []inference.Message) ([]int, error) {
	s.requests.Add(1)
	<-time.After(10 * time.Millisecond)
	return nil, nil
}

// echo predicts a prediction of the taxi kind for each item.
type echo struct{ messages []inference.Message }

func (e echo) Predict(b *inference.Batch) error {
	for i := range b.Items {
		b.Messages, b.Sent = append(b.Messages, e.messages[i]), append(b.Sent, i)
	}
	return nil
}

// What order costs, in requests and in time: docs/stream.md has these.
func TestWhatOrderCosts(t *testing.T) {
	const records = 1000
	aggregator, err := NewAggregator(DefaultParts)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		keys      int
		ordered   bool
		aggregate bool
		requests  int64
		took      time.Duration
	}{
		{1000, false, false, 2, 10 * time.Millisecond},
		{1000, true, false, 2, 10 * time.Millisecond},
		{100, true, false, 10, 100 * time.Millisecond},
		{1, true, false, 1000, 10 * time.Second},
		{1000, true, true, 1, 10 * time.Millisecond},
		{100, true, true, 1, 10 * time.Millisecond},
		{1, true, true, 4, 40 * time.Millisecond},
	} {
		name := fmt.Sprintf("%d keys, ordered %t, aggregates %t", test.keys, test.ordered, test.aggregate)
		synctest.Test(t, func(t *testing.T) {
			stream := &slow{}
			e := inference.NewEngine(echo{rides(records)}, &inference.Target{Sink: stream, Limits: KinesisLimits()}, nil, slog.New(slog.DiscardHandler))
			e.Outgoing.Ordered = test.ordered
			if test.aggregate {
				e.Outgoing.Pack = aggregator.Pack
			}
			var b inference.Batch
			b.Reset(records)
			for i := range b.Items {
				b.Items[i].Key = fmt.Append(nil, "key", i%test.keys)
			}
			began := time.Now()
			if err := e.Handle(t.Context(), &b); err != nil || len(b.Undealt()) > 0 {
				t.Fatal(err)
			}
			if took := time.Since(began); stream.requests.Load() != test.requests || took != test.took {
				t.Errorf("%s: %d requests, %v", name, stream.requests.Load(), took)
			}
		})
	}
}
