// Package model makes a bundle a model that serves: proved against its goldens,
// with its plan, its session, its output's form and the memory it works in.
//
//  1. model.go: items to rows to predictions
//  2. score.go: rows through the session, many a call
//  3. output.go: a row of y as a prediction, that as JSON, and its partition
//     key; number.go, label.go: the kinds of outputs; choice.go: one of the
//     labels there are; link/: exp and its kin
//  4. prove.go: the goldens, before anything else
//  5. current.go: the model that serves, replaced between batches
//  6. shadow.go: a model that is compared with it, and publishes nothing
//  7. watch.go: what there is to count of a batch, for drift
package model
