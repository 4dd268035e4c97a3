// Package inference takes batches of Kinesis records to predictions.
//
// A record passes these stages, each in the file of its name:
//
//  1. decode.go: the invocation's event, and in it each record's bytes
//  2. encode.go: a record becomes one row of float64, by the bundle's columns
//  3. score.go: rows become predictions, many rows a call
//  4. respond.go: what the invocation answers, predictions and failures
//  5. publish.go: predictions go to the output stream, many records a call
//
// handler.go ties them together. json.go and python.go read what stages 1 and
// 2 ask for as Python would, and hint.go is for errors. Before the first record, bundle.go opens the
// model's folder and prove.go replays its goldens through stages 2 and 3: a
// worker that does not predict what the original pipeline predicted does not
// start.
//
// A record that can never succeed is a [Rejection] (reject.go). It is set
// aside with its reason, and the rest of its batch goes on.
//
// The package knows neither onnxruntime nor AWS. They are behind [Scorer],
// [Stream] and [Folder], implemented by the packages scorer, stream and store.
package inference
