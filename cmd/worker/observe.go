package main

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/skiff-ml/skiff/cmd/internal/page"
	"github.com/skiff-ml/skiff/inference/observe"
	"github.com/skiff-ml/skiff/inference/trace"
)

// measure has each batch measured: as lines, where METRICS asks for them, in
// totals, where there are some, and for whoever looks at the live page.
func (w *worker) measure(lines io.Writer, totals *observe.Totals, log *slog.Logger) {
	o := &observe.Observer{Totals: totals, Log: log}
	if w.pointer != nil {
		o.Behind = &w.behind
	}
	if w.loader.metrics {
		o.EMF = observe.NewEMF(lines, w.loader.namespace, w.loader.function)
	}
	if w.loader.shadow != "" {
		o.Shadow = w
	}
	if w.tracer != nil {
		o.Tracer = w.tracer
	}
	if w.live != nil {
		o.Live = w.live
	}
	if o.EMF != nil || totals != nil || o.Live != nil || o.Shadow != nil || o.Tracer != nil {
		w.engine.Observe(o)
	}
}

// An observed is a handler each of whose invocations is observed.
type observed struct {
	handler lambda.Handler
	tracer  *trace.Tracer // nil: none
}

// Invoke implements [lambda.Handler].
func (o observed) Invoke(ctx context.Context, event []byte) ([]byte, error) {
	request := ""
	if lc, ok := lambdacontext.FromContext(ctx); ok {
		request = lc.AwsRequestID
	}
	ctx, end := o.tracer.Begin(observe.With(ctx), request)
	response, err := o.handler.Invoke(ctx, event)
	end(err)
	return response, err
}

// show says on the live page which model serves from now on.
func (w *worker) show(m *loaded) {
	serves := page.Model{RunID: m.manifest.RunID, Estimator: m.manifest.Estimator, Since: time.Now()}
	if w.pointer != nil {
		serves.Alias = "@" + w.loader.alias
	}
	w.live.Serves(serves)
}

// links are the other pages, on the live one.
func (w *worker) links() []page.Link {
	links := []page.Link{{Name: "metrics", Path: "/metrics"}, {Name: "health", Path: "/health"}}
	if w.loader.drift != driftOff {
		links = append(links, page.Link{Name: "drift", Path: "/drift"})
	}
	return links
}

// pages are what there is to look at: / for a person, /metrics for Prometheus,
// /health for whoever starts and stops the container, /drift for `skiff drift`.
func (w *worker) pages(totals *observe.Totals) map[string]http.HandlerFunc {
	pages := map[string]http.HandlerFunc{
		"GET /metrics": func(response http.ResponseWriter, _ *http.Request) {
			response.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
			_, _ = totals.WriteTo(response) // who asked may be gone
		},
		"GET /drift": w.driftPage,
		"GET /health": func(response http.ResponseWriter, _ *http.Request) {
			now := w.serving.Load()
			response.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(response).Encode(map[string]string{ // likewise
				"status": "serving", "run_id": now.manifest.RunID, "bundle": now.place,
			})
		},
	}
	maps.Copy(pages, w.live.Handlers())
	return pages
}
