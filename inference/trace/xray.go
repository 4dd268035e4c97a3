package trace

import (
	"context"
	"strings"

	"go.opentelemetry.io/otel/trace"
)

// headerKey is where Lambda's runtime client leaves the invocation's X-Ray header
// in its context: a string, as aws-lambda-go has it.
const headerKey = "x-amzn-trace-id"

// WithHeader returns a context as Lambda's runtime client makes it, for an
// invocation that comes otherwise.
func WithHeader(ctx context.Context, header string) context.Context {
	if header == "" {
		return ctx
	}
	return context.WithValue(ctx, headerKey, header) //nolint:staticcheck // the client's own key is a string
}

// parent returns a context in the trace that Lambda says the invocation is in;
// without such a header, or with one that says nothing, the context as it is.
func parent(ctx context.Context) context.Context {
	header, _ := ctx.Value(headerKey).(string)
	if span, ok := parseXRay(header); ok {
		return trace.ContextWithRemoteSpanContext(ctx, span)
	}
	return ctx
}

// parseXRay reads a header such as
// Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1,
// with or without other parts.
// https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
func parseXRay(header string) (trace.SpanContext, bool) {
	var config trace.SpanContextConfig
	for part := range strings.SplitSeq(header, ";") {
		key, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch key {
		case "Root": // version 1, seconds since 1970, 96 bits at random
			root := strings.Split(value, "-")
			if len(root) == 3 && root[0] == "1" && len(root[1]) == 8 {
				config.TraceID, _ = trace.TraceIDFromHex(root[1] + root[2])
			}
		case "Parent":
			config.SpanID, _ = trace.SpanIDFromHex(value)
		case "Sampled":
			config.TraceFlags = config.TraceFlags.WithSampled(value == "1")
		}
	}
	config.Remote = true
	span := trace.NewSpanContext(config)
	return span, span.IsValid()
}
