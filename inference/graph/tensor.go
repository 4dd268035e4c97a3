package graph

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
)

//nolint:gochecknoglobals // a table
var tensorProto = message{"a constant", bits(1, 2), bits(8, 9), bits(1)}

// A kind is a type of numbers; none is one that the converter does not write.
type kind uint8

const (
	none kind = iota
	float32s
	float64s
	uint8s
	int32s
	int64s
	uint32s
	booleans
)

// kindOf returns the kind of TensorProto's data types.
func kindOf(dataType uint64) kind {
	switch dataType {
	case 1:
		return float32s
	case 2:
		return uint8s
	case 6:
		return int32s
	case 7:
		return int64s
	case 9:
		return booleans
	case 11:
		return float64s
	case 12:
		return uint32s
	}
	return none
}

func (k kind) String() string {
	return [...]string{"an unknown type", "float32", "float64", "uint8", "int32", "int64", "uint32", "bool"}[k]
}

// bytes is the size of one of them.
func (k kind) bytes() int {
	switch k {
	case float64s, int64s:
		return 8
	case float32s, int32s, uint32s:
		return 4
	}
	return 1
}

func (k kind) float() bool   { return k == float32s || k == float64s }
func (k kind) integer() bool { return k == int32s || k == int64s }

// A tensor is a constant: as many numbers as its dims say.
type tensor struct {
	name string
	kind kind
	dims []int
	data []byte // little endian
}

// parseTensor reads a constant whose bytes are as many as its shape says.
func parseTensor(raw []byte) (*tensor, error) {
	t := &tensor{}
	err := tensorProto.each(raw, func(f field) error {
		switch f.number {
		case 1:
			if f.value > math.MaxInt32 {
				return fmt.Errorf("the constant %s has a dimension of %d", t.name, f.value)
			}
			t.dims = append(t.dims, int(f.value))
		case 2:
			t.kind = kindOf(f.value)
		case 8:
			t.name = string(f.bytes)
		case 9:
			t.data = f.bytes
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	switch {
	case t.kind == none:
		return nil, fmt.Errorf("the constant %s has a type that is none of the converter's", t.name)
	case len(t.dims) > maxRank:
		return nil, fmt.Errorf("the constant %s has %d dimensions", t.name, len(t.dims))
	case !t.whole():
		return nil, fmt.Errorf("the constant %s is %v of %v, and has %d bytes", t.name, t.kind, t.dims, len(t.data))
	}
	return t, nil
}

// whole reports whether there are as many bytes as the shape says.
func (t *tensor) whole() bool {
	left := len(t.data)
	if left%t.kind.bytes() != 0 {
		return false
	}
	left /= t.kind.bytes()
	if slices.Contains(t.dims, 0) {
		return left == 0
	}
	for _, d := range t.dims {
		if left%d != 0 {
			return false
		}
		left /= d
	}
	return left == 1
}

// size is how many numbers there are.
func (t *tensor) size() int { return len(t.data) / t.kind.bytes() }

// integer returns number i of integers.
func (t *tensor) integer(i int) int64 {
	if t.kind == int64s {
		return int64(binary.LittleEndian.Uint64(t.data[8*i:])) //nolint:gosec // two's complement
	}
	return int64(int32(binary.LittleEndian.Uint32(t.data[4*i:]))) //nolint:gosec // two's complement
}

// real returns number i of floats.
func (t *tensor) real(i int) float64 {
	if t.kind == float64s {
		return math.Float64frombits(binary.LittleEndian.Uint64(t.data[8*i:]))
	}
	return float64(math.Float32frombits(binary.LittleEndian.Uint32(t.data[4*i:])))
}
