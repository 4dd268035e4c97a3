package observe

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"skiff/inference"
)

// An Observer measures each batch, for whoever wants it measured.
type Observer struct {
	EMF    *EMF         // nil: no lines
	Totals *Totals      // nil: no sums
	Behind *atomic.Bool // the alias stands for something that is not served; nil: there is no alias
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
	if o.Totals != nil {
		o.Totals.Add(m)
	}
	if o.EMF != nil {
		if err := o.EMF.Write(m, now); err != nil {
			o.Log.LogAttrs(ctx, slog.LevelWarn, "metrics", slog.String("error", err.Error()))
		}
	}
}
