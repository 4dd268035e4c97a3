// Package observe says what happened, in numbers: each invocation as a line of
// CloudWatch's embedded metric format, and all of them since the start for
// Prometheus. deploy/README.md has the question that each metric answers.
//
//  1. measure.go: the numbers of one invocation
//  2. puts.go: what a sink did not take at once
//  3. emf.go: them as a line of the log, of which CloudWatch makes metrics
//  4. parse.go: such a line, read again
//  5. totals.go: their sums, as Prometheus reads them
package observe
