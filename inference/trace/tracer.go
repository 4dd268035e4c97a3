package trace

import (
	"context"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/skiff-ml/skiff/inference"
	"github.com/skiff-ml/skiff/inference/observe"
)

// maxEvents is how many rejections of an invocation its span has, as its log.
const maxEvents = 10

// afterFailure is how long nothing is traced after a collector that did not take
// what it was sent: each invocation would wait for it.
const afterFailure = time.Minute

// A Tracer makes spans of invocations. A nil one makes none.
type Tracer struct {
	tracer trace.Tracer
	ended  *collected
	name   string       // of an invocation's span
	quiet  atomic.Int64 // until when nothing is traced, in nanoseconds since 1970
	log    *slog.Logger
}

var _ observe.Tracer = (*Tracer)(nil)

// New returns a tracer of a function of that name, or nil where no variable asks
// for one.
func New(ctx context.Context, getenv func(string) string, function string, log *slog.Logger) (*Tracer, error) {
	c, err := readConfig(getenv)
	if c == nil || err != nil {
		return nil, err
	}
	about, err := resource.New(ctx, resource.WithTelemetrySDK(), resource.WithAttributes(attribute.String("service.name", function)), resource.WithFromEnv())
	if err != nil {
		return nil, err
	}
	exporter := otlptrace.NewUnstarted(&upload{c, &http.Client{Transport: http.DefaultTransport}})
	ended := &collected{exporter: exporter}
	provider := sdktrace.NewTracerProvider(sdktrace.WithResource(about), sdktrace.WithSpanProcessor(ended))
	return &Tracer{tracer: provider.Tracer("github.com/skiff-ml/skiff"), ended: ended, name: function, log: log}, nil
}

// Begin begins an invocation's span, in the trace that its context is in. The
// function that it returns ends the span, by the invocation's error, and sends
// it: in Lambda nothing runs after the answer. Where the invocation is not
// sampled, both do nothing.
func (t *Tracer) Begin(ctx context.Context, requestID string) (context.Context, func(error)) {
	if t == nil || time.Now().UnixNano() < t.quiet.Load() {
		return ctx, func(error) {}
	}
	ctx, span := t.tracer.Start(parent(ctx), t.name, trace.WithSpanKind(trace.SpanKindConsumer))
	if !span.IsRecording() {
		return ctx, func(error) {}
	}
	if requestID != "" {
		span.SetAttributes(attribute.String("faas.invocation_id", requestID))
	}
	ctx = inference.WithTrace(ctx, span.SpanContext().TraceID().String())
	return ctx, func(err error) {
		if err != nil {
			span.SetStatus(codes.Error, err.Error())
		}
		span.End()
		t.send(context.WithoutCancel(ctx))
	}
}

// send sends the spans of what has ended. What a collector does not take is lost:
// nothing is worth an invocation's result.
func (t *Tracer) send(ctx context.Context) {
	if err := t.ended.send(ctx); err != nil {
		t.quiet.Store(time.Now().Add(afterFailure).UnixNano())
		t.log.LogAttrs(ctx, slog.LevelWarn, "tracing stops for a minute", slog.String("error", err.Error()))
	}
}

// Trace implements [observe.Tracer]: it tells the invocation's span what has
// become of its batch, with a span for each stage, which ended in their order
// before now. Between the stages there may be more than they are, microseconds
// that are no stage's.
func (t *Tracer) Trace(ctx context.Context, b *inference.Batch, m *observe.Measurement, now time.Time) {
	span := trace.SpanFromContext(ctx)
	if t == nil || !span.IsRecording() {
		return
	}
	at := now
	type stage struct {
		name string
		took time.Duration
	}
	for _, s := range []stage{
		{"publish", b.Timing.Publish}, {"respond", b.Timing.Respond}, {"score", b.Timing.Score}, {"encode", b.Timing.Encode}, {"decode", b.Timing.Decode},
	} {
		_, part := t.tracer.Start(ctx, s.name, trace.WithTimestamp(at.Add(-s.took)))
		part.End(trace.WithTimestamp(at))
		at = at.Add(-s.took)
	}
	rejected := 0
	for i := range b.Outcomes {
		o := &b.Outcomes[i]
		if o.Rejection == nil {
			continue
		}
		if rejected++; rejected > maxEvents {
			break
		}
		span.AddEvent("record rejected", trace.WithTimestamp(now), trace.WithAttributes(
			attribute.String("skiff.reason", string(o.Rejection.Reason)), attribute.String("skiff.field", o.Rejection.Field),
			attribute.String("messaging.message.id", b.Items[i].String()), attribute.Bool("skiff.dead_lettered", o.DeadLettered)))
	}
	span.SetAttributes(
		attribute.String("skiff.run_id", m.RunID), attribute.Int("messaging.batch.message_count", m.Records),
		attribute.Int("skiff.predictions", m.Predictions), attribute.Int("skiff.rejected", m.Rejected),
		attribute.Int("skiff.unsent", m.Unsent), attribute.Int("skiff.retries", m.Retries))
}
