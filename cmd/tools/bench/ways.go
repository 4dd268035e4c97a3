package main

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"

	"github.com/skiff-ml/skiff/inference"
	"github.com/skiff-ml/skiff/inference/bundle"
	"github.com/skiff-ml/skiff/inference/drift"
	"github.com/skiff-ml/skiff/inference/model"
	"github.com/skiff-ml/skiff/inference/observe"
	"github.com/skiff-ml/skiff/inference/sink"
	"github.com/skiff-ml/skiff/inference/source"
	"github.com/skiff-ml/skiff/inference/trace"
)

// startCollector starts a collector of traces that takes everything.
func startCollector() *httptest.Server {
	return httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
	}))
}

// build returns the handler that the worker has with a way's variables.
func (w *way) build(ctx context.Context, b *bundle.Bundle, scorer model.Scorer, lines io.Writer, collector string) (*watched, error) {
	m, err := model.New(b, scorer)
	if err != nil {
		return nil, err
	}
	log := slog.New(slog.DiscardHandler)
	o, made := &observe.Observer{Log: log}, &watched{way: *w}
	if w.drift {
		sketch, err := b.Sketch(ctx)
		if err != nil {
			return nil, err
		}
		counter := drift.NewCounter(&b.Manifest, sketch)
		counter.Words = w.words
		m.Watch(counter)
	}
	if w.shadow {
		shadow, err := model.New(b, scorer)
		if err != nil {
			return nil, err
		}
		m.Keep()
		o.Shadow = comparer{model.NewShadow(shadow, 0)}
	}
	if w.metrics {
		o.EMF = observe.NewEMF(lines, "skiff", "bench")
	}
	if w.header != "" {
		getenv := func(name string) string {
			return map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": collector}[name]
		}
		if made.tracer, err = trace.New(ctx, getenv, "bench", log); err != nil {
			return nil, err
		}
		o.Tracer = made.tracer
	}
	target := &inference.Target{Sink: observe.Sink{Sink: &taken{}}, Limits: sink.KinesisLimits()}
	e := inference.NewEngine(m, target, nil, log)
	e.Outgoing.Meta = w.meta
	if o.EMF != nil || o.Shadow != nil || o.Tracer != nil {
		e.Observe(o)
	}
	made.handler = source.NewKinesis(e)
	made.handler.Reported = true
	return made, nil
}

// A comparer compares with a shadow, as the worker does.
type comparer struct{ shadow *model.Shadow }

// Compare implements [observe.Comparer].
func (c comparer) Compare(ctx context.Context, b *inference.Batch) *observe.Shadow {
	d, err := c.shadow.Compare(ctx, b)
	s := &observe.Shadow{RunID: c.shadow.RunID(), Records: d.Records, Numbers: d.Numbers, Mean: d.Mean, P99: d.P99, Largest: d.Largest}
	if err != nil {
		s.Error = err.Error()
	}
	return s
}
