package trace

import (
	"context"
	"sync"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// collected are spans that have ended, until they are sent. OpenTelemetry's own
// batches go by the clock, which in Lambda stands still between invocations.
type collected struct {
	exporter sdktrace.SpanExporter

	mu    sync.Mutex
	spans []sdktrace.ReadOnlySpan
}

var _ sdktrace.SpanProcessor = (*collected)(nil)

// OnStart implements [sdktrace.SpanProcessor].
func (*collected) OnStart(context.Context, sdktrace.ReadWriteSpan) {}

// OnEnd implements [sdktrace.SpanProcessor].
func (c *collected) OnEnd(span sdktrace.ReadOnlySpan) {
	if !span.SpanContext().IsSampled() {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.spans = append(c.spans, span)
}

// send sends them.
func (c *collected) send(ctx context.Context) error {
	c.mu.Lock()
	spans := c.spans
	c.spans = nil
	c.mu.Unlock()
	if len(spans) == 0 {
		return nil
	}
	return c.exporter.ExportSpans(ctx, spans)
}

// Shutdown implements [sdktrace.SpanProcessor].
func (c *collected) Shutdown(ctx context.Context) error { return c.send(ctx) }

// ForceFlush implements [sdktrace.SpanProcessor].
func (c *collected) ForceFlush(ctx context.Context) error { return c.send(ctx) }
