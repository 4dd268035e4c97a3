// Package graph reads a bundle's graphs and refuses what the converter does
// not write, before onnxruntime sees it: a bucket's writer is not to have all
// that an ONNX graph can say, such as loops, functions, files beside it,
// operators of anybody's, and sizes of anything.
//
// What is left has by construction that a row's answer depends on its row
// alone, whatever is in the batch: each value in the graph is a constant or has
// the rows as its first axis, and each operator leaves that axis as it is.
//
//  1. wire.go: protobuf messages, strictly: known fields, and none twice
//  2. parse.go, tensor.go: the messages of onnx.proto that the converter writes
//  3. check.go: opsets, names, input, output and metadata, against the manifest
//  4. value.go: what is known of a value: its type, its shape, its rows
//  5. operators.go: the operators, each with its attributes;
//     elementwise.go, shaping.go, lookup.go, reduce.go: what they make of values
//  6. ensemble.go, trees.go: the forest of a TreeEnsemble, and of skiff's own operator
package graph
