package observe

import (
	"context"
	"sync/atomic"

	"github.com/skiff-ml/skiff/inference"
)

type puts struct{}

// With returns a context of one invocation, in which what a [Sink] did not take
// at once is counted.
func With(ctx context.Context) context.Context {
	return context.WithValue(ctx, puts{}, new(atomic.Int64))
}

func retries(ctx context.Context) int {
	if n, ok := ctx.Value(puts{}).(*atomic.Int64); ok {
		return int(n.Load())
	}
	return 0
}

// A Sink is another one, with a count of the messages that it did not take.
type Sink struct{ inference.Sink }

var _ inference.Sink = Sink{}

// Put implements [inference.Sink].
func (s Sink) Put(ctx context.Context, messages []inference.Message) ([]int, error) {
	failed, err := s.Sink.Put(ctx, messages)
	if n, ok := ctx.Value(puts{}).(*atomic.Int64); ok {
		n.Add(int64(len(failed)))
		if err != nil && len(failed) == 0 {
			n.Add(int64(len(messages)))
		}
	}
	return failed, err
}
