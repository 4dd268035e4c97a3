package graph

import (
	"errors"
	"slices"
)

// matrix reports whether a value is [rows, width].
func (v *value) matrix() bool { return v.rows && len(v.dims) == 1 }

// Side by side, along axis 1.
func concat(c *call) ([]value, error) {
	k, err := sameKind(c.in)
	if err != nil {
		return nil, err
	}
	width := 0
	for i := range c.in {
		if !c.in[i].matrix() || c.int("axis", 0) != 1 {
			return nil, errMixes
		}
		if width += c.in[i].dims[0]; width > maxWidth {
			return nil, errShapes
		}
	}
	return []value{rowsOf(k, width)}, nil
}

// split takes a matrix apart into equal ones, along axis 1.
func split(c *call) ([]value, error) {
	v, parts := c.in[0], len(c.outputs)
	if !v.matrix() || c.int("axis", 0) != 1 {
		return nil, errMixes
	}
	if c.int("num_outputs", 0) != int64(parts) || v.dims[0]%parts != 0 {
		return nil, errShapes
	}
	out := make([]value, parts)
	for i := range out {
		out[i] = rowsOf(v.kind, v.dims[0]/parts)
		if isX(c.inputs[0]) && v.dims[0] == parts {
			out[i].column = 1 + i
		}
	}
	return out, nil
}

func isX(name string) bool { return name == "X" }

// reshape makes a vector [rows] of a matrix of one column, or the other way
// round.
func reshape(c *call) ([]value, error) {
	v, to := c.in[0], c.in[1].known
	if to == nil || to.kind != int64s || len(to.dims) != 1 || !v.rows {
		return nil, errMixes
	}
	var want []int
	for i := range to.size() {
		if d := to.integer(i); i == 0 && d != -1 || i > 0 && (d < 1 || d > maxWidth) {
			return nil, errMixes
		} else if i > 0 {
			want = append(want, int(d))
		}
	}
	out := v
	if out.dims = want; len(want) >= maxRank || out.width() != v.width() {
		return nil, errMixes
	}
	return []value{out}, nil
}

// shape is how many rows there are.
func shape(c *call) ([]value, error) {
	if !c.in[0].rows || c.int("start", -1) != 0 || c.int("end", -1) != 1 {
		return nil, errors.New("it asks for more than how many rows there are")
	}
	return []value{{kind: int64s, dims: []int{1}, counts: true}}, nil
}

// expand has one number for each row.
func expand(c *call) ([]value, error) {
	if !c.in[1].counts || c.in[0].rows || c.in[0].width() != 1 || len(c.in[0].dims) > 1 {
		return nil, errors.New("it makes more than a number for each row")
	}
	return []value{rowsOf(c.in[0].kind)}, nil
}

// gather looks numbers up in a constant, or takes columns out of a matrix.
func gather(c *call) ([]value, error) {
	data, at, axis := c.in[0], c.in[1], c.int("axis", 0)
	if data.counts || !at.kind.integer() {
		return nil, errTypes
	}
	switch {
	case data.matrix() && axis == 1 && at.known != nil && len(at.dims) < maxRank:
		out := rowsOf(data.kind, at.dims...)
		for i := range at.known.size() {
			j := at.known.integer(i)
			if j < 0 || j >= int64(data.dims[0]) {
				return nil, errors.New("it takes a column that is not there")
			}
			if isX(c.inputs[0]) && at.known.size() == 1 {
				out.column = 1 + int(j)
			}
		}
		return []value{out}, nil
	case !data.rows && at.rows && axis == 0 && len(data.dims) > 0:
		if at.most >= data.dims[0] {
			return nil, errShort(at.most, data.dims[0])
		}
		dims := slices.Concat(at.dims, data.dims[1:])
		if len(dims) >= maxRank {
			return nil, errShapes
		}
		return []value{rowsOf(data.kind, dims...)}, nil
	}
	return nil, errMixes
}

// gatherElements looks numbers up in a constant vector, or in their own row.
func gatherElements(c *call) ([]value, error) {
	data, at, axis := c.in[0], c.in[1], c.int("axis", 0)
	if data.counts || !at.kind.integer() {
		return nil, errTypes
	}
	switch {
	case !data.rows && len(data.dims) == 1 && at.rows && len(at.dims) == 0 && axis == 0:
		if at.most >= data.dims[0] {
			return nil, errShort(at.most, data.dims[0])
		}
		return []value{rowsOf(data.kind)}, nil
	case data.matrix() && at.matrix() && axis == 1:
		if at.most >= data.dims[0] {
			return nil, errShort(at.most, data.dims[0])
		}
		return []value{rowsOf(data.kind, at.dims...)}, nil
	}
	return nil, errMixes
}
