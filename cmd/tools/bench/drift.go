package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/skiff-ml/skiff/cmd/tools/internal/measuring"
	"github.com/skiff-ml/skiff/inference"
	"github.com/skiff-ml/skiff/inference/bundle"
	"github.com/skiff-ml/skiff/inference/drift"
	"github.com/skiff-ml/skiff/inference/model"
	"github.com/skiff-ml/skiff/inference/sink"
	"github.com/skiff-ml/skiff/inference/source"
)

const (
	driftBatch = 1000 // records of a batch with which the cost of counting is measured
	driftTurns = 50   // invocations of each handler a repetition, one after the other: most of them nothing disturbs
)

// A Drift is what counting for drift adds to a record, the handlers with and
// without it in turn.
type Drift struct {
	Batch   int              `json:"batch"`
	Off     measuring.Spread `json:"off_ns_per_record"`
	On      measuring.Spread `json:"on_ns_per_record"`
	Words   measuring.Spread `json:"words_ns_per_record"` // with new words as well
	Percent float64          `json:"on_percent"`          // that on takes longer, of the medians
}

// measureDrift measures it for a bundle with a sketch; nil without one.
func measureDrift(ctx context.Context, b *bundle.Bundle, scorer model.Scorer, records [][]byte, repetitions int, p *measuring.Progress) (*Drift, error) {
	if b.Manifest.Files[bundle.SketchFile] == "" {
		return nil, nil //nolint:nilnil // there is nothing to measure
	}
	sketch, err := b.Sketch(ctx)
	if err != nil {
		return nil, err
	}
	var handlers [3]*source.Kinesis // off, on, with words
	var all [3]*series
	for i := range handlers {
		m, err := model.New(b, scorer)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			counter := drift.NewCounter(&b.Manifest, sketch)
			counter.Words = i == 2
			m.Watch(counter)
		}
		target := &inference.Target{Sink: &taken{}, Limits: sink.KinesisLimits()}
		handlers[i] = source.NewKinesis(inference.NewEngine(m, target, nil, slog.New(slog.DiscardHandler)))
		handlers[i].Reported = true
		if all[i], err = newSeries(records, driftBatch); err != nil {
			return nil, err
		}
		if err := all[i].warm(ctx, handlers[i]); err != nil {
			return nil, err
		}
	}
	var ns [3][]float64
	for r := range repetitions * driftTurns {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		p.Show(fmt.Sprintf("invocation %d of %d, with and without drift", r+1, repetitions*driftTurns))
		for turn := range all {
			i := (turn + r) % len(all) // none is always the first
			e := all[i].events[r%len(all[i].events)]
			began := time.Now()
			_, err := handlers[i].Invoke(ctx, e.payload)
			ns[i] = append(ns[i], float64(time.Since(began))/driftBatch)
			if err != nil {
				return nil, err
			}
		}
	}
	d := &Drift{Batch: driftBatch, Off: measuring.SpreadOf(ns[0]), On: measuring.SpreadOf(ns[1]), Words: measuring.SpreadOf(ns[2])}
	d.Percent = 100 * (d.On.Median/d.Off.Median - 1)
	return d, nil
}

// write says it for people.
func (d *Drift) write(w io.Writer) {
	if d == nil {
		return
	}
	fmt.Fprintf(w, "\nWith DRIFT=on, batches of %d: %.0f ns/record instead of %.0f, %+.1f %%, medians of %d invocations; with words %.0f\n",
		d.Batch, d.On.Median, d.Off.Median, d.Percent, d.On.N, d.Words.Median)
}
