package graph

import "fmt"

func errShort(most, size int) error {
	return fmt.Errorf("it looks up %d in a table of %d", most, size)
}

// alongColumns makes sure that a matrix is gone through along axis 1.
func alongColumns(v, axis *value, axes int) error {
	if !v.matrix() || axis.known == nil || axis.kind != int64s || len(axis.dims) != axes || axis.width() != 1 || axis.known.integer(0) != 1 {
		return errMixes
	}
	return nil
}

// reduced is a matrix of one column, or a vector.
func (c *call) reduced(k kind) value {
	if c.int("keepdims", 1) == 0 {
		return rowsOf(k)
	}
	return rowsOf(k, 1)
}

// reduce adds up each row, or finds its largest.
func reduce(c *call) ([]value, error) {
	v := c.in[0]
	if err := alongColumns(&v, &c.in[1], 1); err != nil {
		return nil, err
	}
	out := c.reduced(v.kind)
	out.most = v.most * v.dims[0]
	return []value{out}, nil
}

func cumSum(c *call) ([]value, error) {
	v := c.in[0]
	if err := alongColumns(&v, &c.in[1], 0); err != nil {
		return nil, err
	}
	return []value{rowsOf(v.kind, v.dims...)}, nil
}

func argMax(c *call) ([]value, error) {
	v := c.in[0]
	if !v.matrix() || c.int("axis", 0) != 1 || !v.kind.float() {
		return nil, errMixes
	}
	out := c.reduced(int64s)
	out.most = v.dims[0] - 1
	return []value{out}, nil
}

// topK has the smallest or largest of each row, and where they are.
func topK(c *call) ([]value, error) {
	v, k := c.in[0], c.in[1].known
	if !v.matrix() || c.int("axis", -1) != 1 || k == nil || k.kind != int64s || len(k.dims) != 1 || k.size() != 1 {
		return nil, errMixes
	}
	n := k.integer(0)
	if n < 1 || n > int64(v.dims[0]) || !v.kind.float() {
		return nil, errShapes
	}
	at := rowsOf(int64s, int(n))
	at.most = v.dims[0] - 1
	return []value{rowsOf(v.kind, int(n)), at}, nil
}

// matMul multiplies each row with a constant matrix.
func matMul(c *call) ([]value, error) {
	v, by := c.in[0], c.in[1]
	k, err := sameKind(c.in)
	if err != nil || !k.float() {
		return nil, errTypes
	}
	if !v.matrix() || by.rows || len(by.dims) != 2 {
		return nil, errMixes
	}
	if by.dims[0] != v.dims[0] {
		return nil, errShapes
	}
	return []value{rowsOf(k, by.dims[1])}, nil
}
