// Package sink puts messages where they have to go: predictions to a Kinesis
// stream, dead letters to a stream, a queue or a bucket. It is the only package
// of the worker that knows Kinesis and SQS.
package sink
