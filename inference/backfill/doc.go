// Package backfill predicts for the documents of JSON lines, into files:
// predictions, and dead letters beside them. What is stopped, however, goes on
// where it was, so that each line is in one of the files, once.
//
//  1. input.go: JSON lines as they are, or compressed, on disk or elsewhere
//  2. program.go: those that a program writes
//  3. lines.go: lines become batches
//  4. files.go: what is written, and how far it is written for sure
//  5. backfill.go: from one to the other
package backfill
