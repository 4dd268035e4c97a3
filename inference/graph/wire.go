package graph

import (
	"errors"
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
)

// A message is which fields a protobuf message may have: bit n is field n. What
// comes once has to: readers differ in what they make of a field that is there
// twice.
type message struct {
	name                   string
	varints, bytes, repeat uint32
}

func bits(fields ...int) (set uint32) {
	for _, field := range fields {
		set |= 1 << field
	}
	return set
}

var errTruncated = errors.New("it is no protobuf message, or not all of one")

// A field is one of a message's: a number, or bytes in the memory of the
// message.
type field struct {
	number int
	value  uint64
	bytes  []byte
}

// each visits the fields of a message.
func (m *message) each(raw []byte, visit func(field) error) error {
	seen := uint32(0)
	for len(raw) > 0 {
		number, kind, n := protowire.ConsumeTag(raw)
		if n < 0 {
			return errTruncated
		}
		raw = raw[n:]
		var bit uint32
		if number < 32 {
			bit = 1 << number
		}
		f := field{number: int(number)}
		switch {
		case kind == protowire.VarintType && m.varints&bit != 0:
			f.value, n = protowire.ConsumeVarint(raw)
		case kind == protowire.BytesType && m.bytes&bit != 0:
			f.bytes, n = protowire.ConsumeBytes(raw)
		default:
			return fmt.Errorf("field %d of %s is none of the converter's", number, m.name)
		}
		if n < 0 {
			return errTruncated
		}
		if seen&bit != 0 && m.repeat&bit == 0 {
			return fmt.Errorf("field %d of %s is there twice", number, m.name)
		}
		seen |= bit
		raw = raw[n:]
		if err := visit(f); err != nil {
			return err
		}
	}
	return nil
}
