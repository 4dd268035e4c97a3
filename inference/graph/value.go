package graph

import (
	"errors"
	"fmt"
	"slices"
)

// The bounds of a graph. Those on what is computed keep the memory and the time
// of a batch in proportion to those of the file: what is above them is no
// pipeline that anybody was seen to have.
const (
	maxRank  = 2       // axes of a value, the rows among them
	maxWidth = 1 << 17 // numbers of a row of one value
	maxWork  = 1 << 24 // numbers of a row of all values
	maxNodes = 1 << 15 // onnxruntime takes some 8 s to load as many
)

// A value is what is known of one of the graph's values: a constant, or with
// the rows of the batch as its first axis.
type value struct {
	kind  kind
	rows  bool
	dims  []int   // without the rows
	known *tensor // of a constant that is written down

	counts bool // it is how many rows there are, as a shape
	column int  // 1 + the column of X that it is, or 0
	most   int  // integers from 0 to that; 0 where it isn't known
}

// width is how many numbers it has, of a row where it has rows.
func (v *value) width() int {
	n := 1
	for _, d := range v.dims {
		n *= d
	}
	return n
}

// like returns the value as a result of rows of that kind and shape.
func rowsOf(k kind, dims ...int) value { return value{kind: k, rows: true, dims: dims} }

var (
	errMixes  = errors.New("a row of it would depend on other rows")
	errShapes = errors.New("the shapes do not go together")
	errTypes  = errors.New("the types do not go together")
)

// broadcast returns the shape of what values make together, element by element.
// All that have rows have as many axes, so that no axis is lined up with the
// rows; a constant has 1 there, or nothing.
func broadcast(values []value) (value, error) {
	axes, rows := 0, false
	for i := range values {
		v := &values[i]
		switch {
		case v.counts:
			return value{}, errTypes
		case v.rows && rows && len(v.dims) != axes:
			return value{}, errMixes
		case v.rows:
			axes, rows = len(v.dims), true
		}
	}
	if !rows {
		return constants(values)
	}
	dims := slices.Repeat([]int{1}, axes)
	for i := range values {
		of := values[i].dims
		if !values[i].rows && len(of) > axes {
			if len(of) > axes+1 || of[0] != 1 {
				return value{}, errMixes
			}
			of = of[1:]
		}
		of = of[max(len(of)-axes, 0):]
		for j, d := range of {
			at := &dims[axes-len(of)+j]
			if d == 0 || *at != d && *at != 1 && d != 1 {
				return value{}, errShapes
			}
			*at = max(*at, d)
		}
	}
	return value{rows: true, dims: dims}, nil
}

// constants is broadcast without rows, for which the largest has the shape.
func constants(values []value) (value, error) {
	out := value{}
	for i := range values {
		if values[i].width() > out.width() {
			out.dims = values[i].dims
		}
	}
	for i := range values {
		if values[i].width() != 1 && !slices.Equal(values[i].dims, out.dims) {
			return value{}, errShapes
		}
	}
	return out, nil
}

// sameKind returns the kind of all values.
func sameKind(values []value) (kind, error) {
	for i := range values {
		if values[i].kind != values[0].kind {
			return none, fmt.Errorf("%w: %v and %v", errTypes, values[0].kind, values[i].kind)
		}
	}
	return values[0].kind, nil
}
