// Package backfill predicts for the documents of a file of JSON lines, into
// files: predictions, and dead letters beside them. What is stopped, however,
// goes on where it was, so that each line is in one of the files, once.
//
//  1. lines.go: a file's lines become batches
//  2. files.go: what is written, and how far it is written for sure
//  3. backfill.go: from one to the other
package backfill
