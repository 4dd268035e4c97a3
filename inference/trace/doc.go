// Package trace tells OpenTelemetry what an invocation did, as a span with one
// below it for each stage. It is set up by OpenTelemetry's own variables, and
// nothing of it is made without them.
//
//  1. tracer.go: the spans
//  2. config.go: what the variables say
//  3. upload.go: spans to a collector, by HTTP
//  4. xray.go: the trace that Lambda says an invocation is in
package trace
