package graph

import (
	"errors"
	"fmt"
)

// float is a function of one float.
func float(c *call) ([]value, error) {
	if !c.in[0].kind.float() {
		return nil, errTypes
	}
	v := c.in[0]
	return []value{{kind: v.kind, rows: v.rows, dims: v.dims}}, nil
}

func identity(c *call) ([]value, error) {
	v := c.in[0]
	v.known = nil
	return []value{v}, nil
}

func cast(c *call) ([]value, error) {
	v := c.in[0]
	to := kindOf(uint64(c.int("to", 0))) //nolint:gosec // what is negative is none
	if v.counts || !to.float() && !to.integer() {
		return nil, fmt.Errorf("%w: %v to %v", errTypes, v.kind, to)
	}
	out := value{kind: to, rows: v.rows, dims: v.dims, most: v.most}
	switch {
	case v.kind == booleans:
		out.most = 1
	case to.integer() && v.column > 0:
		out.most = len(c.columns[v.column-1].Vocabulary) // of a number 0: it isn't known
	}
	if to.float() {
		out.column = v.column
	}
	return []value{out}, nil
}

func isNaN(c *call) ([]value, error) {
	if !c.in[0].kind.float() {
		return nil, errTypes
	}
	return elements(booleans, c.in)
}

// arithmetic is of numbers of one kind.
func arithmetic(c *call) ([]value, error) {
	k, err := sameKind(c.in)
	if err != nil || !k.float() && !k.integer() {
		return nil, errors.Join(errTypes, err)
	}
	return elements(k, c.in)
}

// floats is arithmetic that only floats have.
func floats(c *call) ([]value, error) {
	if !c.in[0].kind.float() {
		return nil, errTypes
	}
	return arithmetic(c)
}

// divide is arithmetic; a processor stops at an integer's division by 0.
func divide(c *call) ([]value, error) {
	if by := c.in[1].known; c.in[1].kind.integer() && (by == nil || by.size() != 1 || by.integer(0) < 1) {
		return nil, errors.New("integers are divided by something that may be 0")
	}
	return arithmetic(c)
}

func modulo(c *call) ([]value, error) {
	if c.int("fmod", 0) != 1 {
		return nil, errTypes
	}
	return floats(c)
}

// clip holds a value between two constants.
func clip(c *call) ([]value, error) {
	if c.in[1].width() != 1 || c.in[2].width() != 1 || c.in[1].rows || c.in[2].rows || len(c.in[1].dims)+len(c.in[2].dims) > 0 {
		return nil, errShapes
	}
	return floats(c)
}

func compare(c *call) ([]value, error) {
	if k, err := sameKind(c.in); err != nil || !k.float() && !k.integer() {
		return nil, errors.Join(errTypes, err)
	}
	return elements(booleans, c.in)
}

// logic is of booleans.
func logic(c *call) ([]value, error) {
	if k, err := sameKind(c.in); err != nil || k != booleans {
		return nil, errors.Join(errTypes, err)
	}
	return elements(booleans, c.in)
}

func where(c *call) ([]value, error) {
	k, err := sameKind(c.in[1:])
	if err != nil || c.in[0].kind != booleans {
		return nil, errors.Join(errTypes, err)
	}
	return elements(k, c.in)
}

// elements is what values make element by element.
func elements(k kind, in []value) ([]value, error) {
	v, err := broadcast(in)
	v.kind = k
	return []value{v}, err
}
