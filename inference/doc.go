// Package inference takes batches of items to their outcomes: a prediction that
// was published, a rejection with its reason, or another try.
//
// The flow, a file a stage:
//
//  1. item.go: what there is to predict for, and where it came from
//  2. engine.go: a batch of items through a model, then to its outcomes
//  3. outcome.go: what becomes of an item: here it is decided, and nowhere else
//  4. outgoing.go: predictions as they leave: meta.go, order.go, lines, aggregates
//  5. retry.go: messages to a sink, until it has taken them or time is up
//  6. deadletter.go: what is kept of an item that can never succeed
//  7. report.go: what happened, in the log
//
// The package knows neither AWS, nor Lambda's JSON, nor onnxruntime. Whatever
// comes in is behind a package source, which makes items of an event and an
// answer of their outcomes; whatever predicts is a [Model], of package model;
// whatever takes messages is a [Sink], of package sink. Around them are
//
//	alias     which run to serve, by a name that stays
//	backfill  files of documents, without a stream
//	bundle    a model's files: the contract with the converter
//	drift     what records are like, and how far from those of the conversion
//	feature   a document becomes a row, by the bundle's columns
//	jsonscan  JSON as Python reads it
//	kpl       aggregates, several records in one
//	model     a proved bundle: rows, scores, predictions
//	observe   what happened, in numbers: CloudWatch's lines, Prometheus's sums
//	ort       onnxruntime
//	store     files in S3, bundles and others
//	unpack    a record becomes its documents
//	limits    AWS's limits
//	hint      errors that say what to do about them
package inference
