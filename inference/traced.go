package inference

import "context"

type traced struct{}

// WithTrace returns a context of an invocation that is traced, by the trace's
// id. Its dead letters carry it, so that what was going on can be found from
// one.
func WithTrace(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, traced{}, id)
}

// TraceOf returns the id of the trace that an invocation is in, or "".
func TraceOf(ctx context.Context) string {
	id, _ := ctx.Value(traced{}).(string)
	return id
}
