// Package bundle reads a model's bundle: its folder's manifest, graph and
// goldens. SPEC.md is the contract, which the converter keeps as well; the
// vectors beside it are run by both.
//
//  1. open.go, dir.go: the files, whole and unaltered, of any format so far;
//     limits.go: how large they may be; trust.go: whose they are
//  2. manifest.go, scalar.go: what a manifest says; format1.go, format2.go: how
//     an old one says it
//  3. check.go, check_columns.go, check_outputs.go: what parses and makes no
//     sense
//  4. golden.go, golden_outputs.go: records with what the original pipeline
//     made of them
//  5. sketch.go: what the records of the conversion's sample were like
package bundle
