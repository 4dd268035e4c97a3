package graph

import (
	"errors"
	"fmt"
)

// skiffDomain is that of skiff's own operators, which fast.onnx has.
const skiffDomain = "skiff"

// The attributes of skiff.Trees, and their types: trees.h of package ort's
// operators says what they are.
//
//nolint:gochecknoglobals // a table
var treesAttributes = map[string]uint64{
	"sources": attrTensor, "cuts": attrTensor, "views": attrTensor, "bits": attrTensor, "nodes": attrTensor,
	"trees": attrTensor, "leaves": attrTensor, "base": attrTensor, "divisor": attrTensor, "single": attrInt,
}

// trees is a forest over a matrix, scored by skiff's operator. That checks for
// itself, before it runs, that each place it goes to is there.
func trees(c *call) ([]value, error) {
	v := c.in[0]
	if !v.matrix() || v.kind != float64s {
		return nil, errMixes
	}
	base, sources := c.tensor("base"), c.tensor("sources")
	if base == nil || base.kind != float64s || sources != nil && (sources.kind != int32s || len(sources.dims) != 2 || sources.dims[1] != 4) {
		return nil, errTypes
	}
	if base.size() < 1 || base.size() > maxWidth {
		return nil, fmt.Errorf("it has %d outputs", base.size())
	}
	for i := 0; i < sizeOf(sources); i += 4 {
		if column := sources.integer(i); column < 0 || column >= int64(v.dims[0]) {
			return nil, errors.New("it asks about a column that is not there")
		}
	}
	return []value{rowsOf(float64s, base.size())}, nil
}
