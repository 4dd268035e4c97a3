package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/skiff-ml/skiff/inference"
)

// newLog returns the worker's log: lines of JSON, which Lambda's request id
// joins to Lambda's own. Lambda filters by level only what is under its own
// keys, so that a function whose log format is JSON has those; its other
// format, Text, is the default, which nobody chose, and takes lines as they are.
func newLog(w io.Writer, getenv func(string) string) *slog.Logger {
	options := &slog.HandlerOptions{Level: logLevel(getenv("AWS_LAMBDA_LOG_LEVEL"))}
	if getenv("AWS_LAMBDA_LOG_FORMAT") == "JSON" {
		options.ReplaceAttr = lambdacontext.ReplaceAttr
	}
	return slog.New(requestLog{slog.NewJSONHandler(w, options)})
}

// logLevel returns the level that Lambda calls by name; without one it is INFO.
func logLevel(name string) slog.Level {
	switch name {
	case "TRACE":
		return slog.LevelDebug - 4
	case "DEBUG":
		return slog.LevelDebug
	case "WARN":
		return slog.LevelWarn
	case "ERROR":
		return slog.LevelError
	case "FATAL":
		return slog.LevelError + 4
	default:
		return slog.LevelInfo
	}
}

// A requestLog adds the request id, and the trace's where there is one, to what is logged during an invocation, as
// [lambdacontext.NewLogHandler] does, which has no lines of JSON but for the
// JSON format, and only stdout.
type requestLog struct{ slog.Handler }

// Handle implements [slog.Handler].
func (h requestLog) Handle(ctx context.Context, record slog.Record) error {
	if lc, ok := lambdacontext.FromContext(ctx); ok {
		record.AddAttrs(slog.String("requestId", lc.AwsRequestID))
	}
	if id := inference.TraceOf(ctx); id != "" {
		record.AddAttrs(slog.String("trace_id", id))
	}
	return h.Handler.Handle(ctx, record)
}

// WithAttrs implements [slog.Handler].
func (h requestLog) WithAttrs(attrs []slog.Attr) slog.Handler {
	return requestLog{h.Handler.WithAttrs(attrs)}
}

// WithGroup implements [slog.Handler].
func (h requestLog) WithGroup(name string) slog.Handler {
	return requestLog{h.Handler.WithGroup(name)}
}

// A clientLog takes what Lambda's runtime client logs: that it can't go on, for
// one. Of an invocation that fails it has the error as JSON, of which the worker
// has said all.
type clientLog struct{ log *slog.Logger }

// Write implements [io.Writer].
func (c clientLog) Write(line []byte) (int, error) {
	if !isLogged(line) {
		c.log.LogAttrs(context.Background(), slog.LevelError, "the runtime client", slog.String("error", string(bytes.TrimSpace(line))))
	}
	return len(line), nil
}

// isLogged reports whether a line is an invocation's error of the worker's own
// types. The client's are the names of Go types, without a dot.
func isLogged(line []byte) bool {
	var invocation struct {
		Type string `json:"errorType"`
	}
	if json.Unmarshal(line, &invocation) != nil {
		return false
	}
	return invocation.Type == failed || invocation.Type == panicked
}
