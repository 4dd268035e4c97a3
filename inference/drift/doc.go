// Package drift counts what a model is given and what it predicts, in the bins of
// its bundle's sketch, and says how far that is from the sample that the sketch
// was made of. SPEC.md of package bundle says what a sketch is.
//
//  1. counter.go: the worker's part, batch by batch; words.go: the most frequent
//     words that training did not have, where they are asked for
//  2. counts.go: what was counted in an hour; such are added up
//  3. measure.go: how far two distributions are apart
//  4. report.go: the comparison, column by column, with a verdict; read.go: counts
//     out of a log
//
// The bins are fixed when a model is converted, so that the worker's part is an
// exact counter a bin: it takes a few nanoseconds a value, depends on no order, and
// is merged by adding. What quantile sketches such as KLL would add is quantiles
// other than the bins' edges, of which neither measure has any use; so there is no
// library in the worker for them.
package drift
