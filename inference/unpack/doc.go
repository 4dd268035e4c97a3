// Package unpack takes a stream's records apart: what producers and services
// send is often not one document but several, aggregated, compressed, line by
// line or in a list. Each is recognised where it cannot be anything else, and
// may be in another. What comes out is in the order of the record, and bounded:
// what has no end is a rejection with its reason.
//
//  1. formats.go: what is looked for
//  2. unpack.go: a record becomes its parts
//  3. compressed.go: gzip and zlib
//  4. documents.go: JSON lines, lists, documents one behind the other
//  5. logs.go: what CloudWatch Logs sends to its subscribers
//
// Aggregates are package kpl's.
package unpack
