package inference

import (
	"context"
	"log/slog"
	"time"

	"github.com/skiff-ml/skiff/inference/hint"
)

// maxRejectionLines is how many rejections of one invocation are logged one
// by one. The invocation's own line counts them all.
const maxRejectionLines = 10

// maxLogged is how many bytes of an id or a key are logged.
const maxLogged = 128

// A tally is how many items of a batch have which fate.
type tally struct {
	rejected, deadLettered, retry int
	repeats                       int   // published, and come again with what is not dealt with
	why                           error // of the first to be tried again
}

func (b *Batch) tally() tally {
	var t tally
	for i := range b.Outcomes {
		o := &b.Outcomes[i]
		if o.Rejection != nil {
			t.rejected++
		}
		if o.DeadLettered {
			t.deadLettered++
		}
		if o.Fate == Retry {
			t.retry++
			if t.why == nil {
				t.why = o.Err
			}
		}
	}
	if t.retry > 0 || t.rejected > t.deadLettered {
		t.repeats = b.repeats()
	}
	return t
}

// report logs the invocation in one line.
func (e *Engine) report(ctx context.Context, b *Batch, took time.Duration) {
	t := b.tally()
	level := slog.LevelInfo
	if t.rejected+t.retry > 0 {
		level = slog.LevelWarn
	}
	attrs := make([]slog.Attr, 0, 12)
	attrs = append(attrs, slog.String("run_id", b.RunID),
		slog.Int("records", b.Records), slog.Int("documents", len(b.Items)), slog.Int("predicted", len(b.Sent)), slog.Int("rejected", t.rejected),
		slog.Int("dead_lettered", t.deadLettered), slog.Int("unsent", t.retry), slog.Int("repeats", t.repeats),
		slog.Int("unknown_categories", b.Unknown),
		slog.Float64("ms", float64(took.Microseconds())/1000))
	if t.why != nil {
		level = slog.LevelError
		attrs = append(attrs, slog.String("error", t.why.Error()))
		if h := hint.Of(t.why); h != "" {
			attrs = append(attrs, slog.String("hint", h))
		}
	}
	e.log.LogAttrs(ctx, level, "invocation", attrs...)
}

// Fail logs an invocation that is an error.
func (e *Engine) Fail(ctx context.Context, b *Batch, err error) {
	attrs := []slog.Attr{
		slog.String("run_id", b.RunID), slog.Int("records", b.Records),
		slog.Int("rejected", b.tally().rejected), slog.String("error", err.Error()),
	}
	if h := hint.Of(err); h != "" {
		attrs = append(attrs, slog.String("hint", h))
	}
	e.log.LogAttrs(ctx, slog.LevelError, "invocation failed", attrs...)
}

// reportRejections logs the first rejections, a line each.
func (e *Engine) reportRejections(ctx context.Context, b *Batch) {
	logged := 0
	for i := range b.Outcomes {
		o := &b.Outcomes[i]
		if o.Rejection == nil {
			continue
		}
		if logged++; logged > maxRejectionLines {
			return
		}
		item, r := &b.Items[i], o.Rejection
		attrs := []slog.Attr{slog.String("run_id", b.Run(i)), slog.String("reason", string(r.Reason))}
		for _, a := range []struct{ key, text string }{
			{"field", r.Field},
			{"detail", r.Detail},
			{"expected", r.Expected},
			{"found", r.Found},
			{"id", cut(plain(item.ID))},
			{"key", cut(item.Key)},
			{"sequence_number", item.String()},
			{"event_id", string(item.EventID)},
		} {
			if a.text != "" {
				attrs = append(attrs, slog.String(a.key, a.text))
			}
		}
		attrs = append(attrs, slog.Bool("dead_lettered", o.DeadLettered))
		e.log.LogAttrs(ctx, slog.LevelWarn, "record rejected", attrs...)
	}
}

// plain returns an id, or nothing of a list or an object: that is not what a
// record is called, but more of what is in it.
func plain(id []byte) []byte {
	if len(id) > 0 && (id[0] == '{' || id[0] == '[') {
		return nil
	}
	return id
}

// cut returns text, or the start of one that is too long for a log.
func cut(text []byte) string {
	if len(text) > maxLogged {
		return string(text[:maxLogged]) + "…"
	}
	return string(text)
}
