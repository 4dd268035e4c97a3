package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"text/tabwriter"
	"time"

	"github.com/skiff-ml/skiff/cmd/tools/internal/measuring"
	"github.com/skiff-ml/skiff/inference/bundle"
	"github.com/skiff-ml/skiff/inference/model"
	"github.com/skiff-ml/skiff/inference/observe"
	"github.com/skiff-ml/skiff/inference/source"
	"github.com/skiff-ml/skiff/inference/trace"
)

const (
	besideBatch = 1000 // records of a batch with which it is measured what watching costs
	besideTurns = 50   // invocations of each handler a repetition, one after the other: most of them nothing disturbs
	sampled     = 0.05 // of the invocations: X-Ray's own rule
)

// X-Ray's header of an invocation, traced or not.
const (
	tracedHeader   = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
	untracedHeader = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0"
)

// A Beside is what each thing that watches the worker adds to a record, alone and
// all together, the handlers with and without them in turn.
type Beside struct {
	Batch   int              `json:"batch"`
	Off     measuring.Spread `json:"off_ns_per_record"`
	Added   []Added          `json:"added"`
	Traced  float64          `json:"traced_us"`         // that a sampled invocation takes longer, its upload to a collector in this process and all
	Sampled float64          `json:"sampled_5_percent"` // what it adds, in percent, where one invocation in twenty is
}

// An Added is what one of them costs.
type Added struct {
	With    string           `json:"with"` // the worker's variables
	Record  measuring.Spread `json:"ns_per_record"`
	Percent float64          `json:"percent"`         // that it takes longer, of the medians
	Apart   bool             `json:"apart,omitempty"` // it is not in what all cost together
}

// A way is a handler with some of them.
type way struct {
	name                 string
	metrics, meta, drift bool
	words                bool   // drift with new words
	header               string // empty: no tracer
	shadow               bool
	apart                bool
}

func ways(sketch bool) []way {
	all := []way{
		{name: "off"},
		{name: "METRICS=emf", metrics: true},
	}
	if sketch {
		all = append(all, way{name: driftOn, drift: true}, way{name: driftWords, drift: true, words: true, apart: true})
	}
	return append(all,
		way{name: "traces, invocation not sampled", header: untracedHeader},
		way{name: "all of these", metrics: true, drift: sketch, header: untracedHeader},
		way{name: "OUTPUT_META=True", meta: true, apart: true},
		way{name: "OUTPUT_META=True and all of these", metrics: true, meta: true, drift: sketch, header: untracedHeader, apart: true},
		way{name: "traces, each invocation sampled", header: tracedHeader, apart: true},
		way{name: "SHADOW_RUN_ID, the same model", shadow: true, apart: true})
}

// A watched is a way's handler.
type watched struct {
	way
	handler *source.Kinesis
	tracer  *trace.Tracer
	series  *series
	ns      []float64
}

// measureBeside measures them with a bundle, whose session scores.
func measureBeside(ctx context.Context, b *bundle.Bundle, scorer model.Scorer, records [][]byte, repetitions int, p *measuring.Progress) (*Beside, error) {
	lines, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0) // a call of the system for each line, as the worker makes it
	if err != nil {
		return nil, err
	}
	defer lines.Close()
	collector := startCollector()
	defer collector.Close()
	var all []*watched
	for _, w := range ways(b.Manifest.Files[bundle.SketchFile] != "") {
		one, err := w.build(ctx, b, scorer, lines, collector.URL)
		if err != nil {
			return nil, err
		}
		if one.series, err = newSeries(records, besideBatch); err != nil {
			return nil, err
		}
		if err := one.series.warm(ctx, one.handler); err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	turns := repetitions * besideTurns
	for r := range turns {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		p.Show(fmt.Sprintf("invocation %d of %d, with what watches and without", r+1, turns))
		for turn := range all {
			w := all[(turn+r)%len(all)] // none is always the first
			if err := w.invoke(ctx, w.series.events[r%len(w.series.events)].payload); err != nil {
				return nil, err
			}
		}
	}
	return besideOf(all), nil
}

// invoke handles an event as the worker does, and takes the time.
func (w *watched) invoke(ctx context.Context, event []byte) error {
	ctx = trace.WithHeader(ctx, w.header)
	began := time.Now()
	ctx, end := w.tracer.Begin(observe.With(ctx), "")
	_, err := w.handler.Invoke(ctx, event)
	end(err)
	w.ns = append(w.ns, float64(time.Since(began))/besideBatch)
	return err
}

// besideOf compares them with the first.
func besideOf(all []*watched) *Beside {
	d := &Beside{Batch: besideBatch, Off: measuring.SpreadOf(all[0].ns)}
	for _, w := range all[1:] {
		a := Added{With: w.name, Record: measuring.SpreadOf(w.ns), Apart: w.apart}
		a.Percent = 100 * (a.Record.Median/d.Off.Median - 1)
		if w.header == tracedHeader {
			d.Traced = (a.Record.Median - d.Off.Median) * besideBatch / 1000
			d.Sampled = sampled * a.Percent
		}
		d.Added = append(d.Added, a)
	}
	return d
}

// write says it for people.
func (d *Beside) write(w io.Writer) error {
	fmt.Fprintf(w, "\nWhat watching adds, batches of %d, medians of %d invocations each in turn:\n", d.Batch, d.Off.N)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(t, "ns/record\tmore\t\n%.0f\t\t  off\n", d.Off.Median)
	for _, a := range d.Added {
		apart := ""
		if a.Apart {
			apart = " (apart)"
		}
		fmt.Fprintf(t, "%.0f\t%+.1f %%\t  %s%s\n", a.Record.Median, a.Percent, a.With, apart)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "An invocation that is sampled takes %.0f µs more, the upload and a collector in the same process: of one in twenty, %.1f %%.\n", d.Traced, d.Sampled)
	return err
}
