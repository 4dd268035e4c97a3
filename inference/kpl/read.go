package kpl

import (
	"bytes"
	"crypto/md5" //nolint:gosec // the format has it, against accidents
	"errors"
	"fmt"
	"iter"

	"google.golang.org/protobuf/encoding/protowire"
)

// Errors of what starts as an aggregate and is none.
var (
	ErrDigest = errors.New("its MD5 is another")
	ErrTables = errors.New("a record's key is not in its table")
	ErrMany   = errors.New("it has too many records")
)

var (
	errCut    = errors.New("it is cut off")
	errNoData = errors.New("a record has no data")
)

// Is reports whether data starts as an aggregate does, and as no JSON can.
func Is(data []byte) bool { return bytes.HasPrefix(data, []byte(magic)) }

// An Aggregate is one that was read, and is whole. It is in the memory that it
// was read from.
type Aggregate struct {
	keys   [][]byte
	hashes int
	body   []byte
	count  int
}

// Read reads an aggregate of at most so many records. All of it is checked:
// what comes out of it is what went in, or there is an error.
func Read(data []byte, most int) (*Aggregate, error) {
	if !Is(data) || len(data) < len(magic)+digest {
		return nil, errCut
	}
	body, sum := data[len(magic):len(data)-digest], data[len(data)-digest:]
	if got := md5.Sum(body); !bytes.Equal(got[:], sum) { //nolint:gosec // the format has it
		return nil, ErrDigest
	}
	a := &Aggregate{body: body}
	err := fields(body, func(number protowire.Number, value []byte) error {
		switch number {
		case keyTable:
			a.keys = append(a.keys, value)
		case hashTable:
			a.hashes++
		case records:
			a.count++
		}
		if max(a.count, len(a.keys)) > most {
			return ErrMany
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return a, fields(body, func(number protowire.Number, value []byte) error {
		if number != records {
			return nil
		}
		_, _, err := a.record(value)
		return err
	})
}

// Len returns how many records there are.
func (a *Aggregate) Len() int { return a.count }

// All returns the records, each with its partition key, in order.
func (a *Aggregate) All() iter.Seq2[[]byte, []byte] {
	return func(yield func(key, data []byte) bool) {
		_ = fields(a.body, func(number protowire.Number, value []byte) error { // Read has seen that there is no other error
			if number != records {
				return nil
			}
			if key, data, err := a.record(value); err != nil || !yield(key, data) {
				return errCut
			}
			return nil
		})
	}
}

// record reads one record.
func (a *Aggregate) record(message []byte) (key, data []byte, err error) {
	index, hash := -1, 0
	for len(message) > 0 {
		number, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return nil, nil, errCut
		}
		message = message[n:]
		switch {
		case number == content && kind == protowire.BytesType:
			data, n = protowire.ConsumeBytes(message)
			if data == nil {
				data = []byte{}
			}
		case number == keyIndex && kind == protowire.VarintType:
			index, n = consumeIndex(message)
		case number == hashIndex && kind == protowire.VarintType:
			hash, n = consumeIndex(message)
			if hash >= a.hashes {
				return nil, nil, ErrTables
			}
		default:
			n = protowire.ConsumeFieldValue(number, kind, message)
		}
		if n < 0 {
			return nil, nil, errCut
		}
		message = message[n:]
	}
	switch {
	case data == nil:
		return nil, nil, errNoData
	case index < 0 || index >= len(a.keys):
		return nil, nil, ErrTables
	}
	return a.keys[index], data, nil
}

// consumeIndex reads an index into a table; one that no table has is as large
// as an int can be.
func consumeIndex(message []byte) (index, n int) {
	const largest = 1<<31 - 1
	v, n := protowire.ConsumeVarint(message)
	return int(min(v, largest)), n
}

// fields calls each with the fields of a message that have bytes; others, which
// the format may get, are passed over.
func fields(message []byte, each func(protowire.Number, []byte) error) error {
	for len(message) > 0 {
		number, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return errCut
		}
		message = message[n:]
		if kind != protowire.BytesType {
			if number <= records {
				return fmt.Errorf("its field %d is of another type", number)
			}
			if n = protowire.ConsumeFieldValue(number, kind, message); n < 0 {
				return errCut
			}
			message = message[n:]
			continue
		}
		value, n := protowire.ConsumeBytes(message)
		if n < 0 {
			return errCut
		}
		if err := each(number, value); err != nil {
			return err
		}
		message = message[n:]
	}
	return nil
}
