package observe

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/skiff-ml/skiff/inference"
)

// A Comparer compares a batch with another model's predictions; nil where there
// are none.
type Comparer interface {
	Compare(ctx context.Context, b *inference.Batch) *Shadow
}

// A Tracer is told of each batch, in the context of its invocation.
type Tracer interface {
	Trace(ctx context.Context, b *inference.Batch, m *Measurement, now time.Time)
}

// A Recorder takes the numbers of each invocation.
type Recorder interface {
	Record(m *Measurement, now time.Time)
}

// An Observer measures each batch, for whoever wants it measured.
type Observer struct {
	EMF    *EMF         // nil: no lines
	Totals *Totals      // nil: no sums
	Behind *atomic.Bool // the alias stands for something that is not served; nil: there is no alias
	Shadow Comparer     // nil: none
	Tracer Tracer       // nil: none
	Live   Recorder     // nil: nobody looks
	Log    *slog.Logger
}

var _ inference.Observer = (*Observer)(nil)

// Observe implements [inference.Observer].
func (o *Observer) Observe(ctx context.Context, b *inference.Batch, err error) {
	now := time.Now()
	m := measure(ctx, b, err, now)
	if o.Behind != nil {
		m.Alias, m.Behind = true, o.Behind.Load()
	}
	if o.Shadow != nil && err == nil {
		if m.Shadow = o.Shadow.Compare(ctx, b); m.Shadow != nil {
			m.Shadow.log(ctx, o.Log, m.RunID)
		}
	}
	if o.Totals != nil {
		o.Totals.Add(m)
	}
	if o.Live != nil {
		o.Live.Record(m, now)
	}
	if o.Tracer != nil {
		o.Tracer.Trace(ctx, b, m, now)
	}
	if o.EMF != nil {
		if err := o.EMF.Write(m, now); err != nil {
			o.Log.LogAttrs(ctx, slog.LevelWarn, "metrics", slog.String("error", err.Error()))
		}
	}
}
