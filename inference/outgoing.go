package inference

import (
	"context"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/skiff-ml/skiff/inference/limits"
)

// An Outgoing says how predictions leave. The zero one is as they are, each a
// message, in no particular order.
type Outgoing struct {
	// Meta adds to each what it is of; see docs/stream.md.
	Meta bool

	// Ordered has each leave by its record's partition key instead of its id,
	// and in the order of that key's records.
	Ordered bool

	// Newline ends each with a line feed, so that what is put one behind the
	// other, as Firehose does it, is JSON lines.
	Newline bool

	// Pack makes fewer messages of many; of has for each of them the one that it
	// is in. Calls may be concurrent. Nil: each is a message of its own.
	Pack func(messages []Message) (packed []Message, of []int)
}

// prepare makes the batch's messages what the answer has as well.
func (o *Outgoing) prepare(b *Batch) {
	if o.Meta {
		b.addMeta()
	}
	if o.Ordered {
		b.keyByRecord()
	}
}

// keyByRecord gives each message its record's partition key, where that is one.
func (b *Batch) keyByRecord() {
	size := 0
	for _, item := range b.Sent {
		size += len(b.Items[item].Key)
	}
	var keys strings.Builder // one string for all the keys, instead of one for each
	keys.Grow(size)
	for i, item := range b.Sent {
		if key := b.Items[item].Key; isKey(key) {
			start := keys.Len()
			keys.Write(key)
			b.Messages[i].Key = keys.String()[start:]
		}
	}
}

// isKey reports whether a stream takes that as a partition key.
func isKey(key []byte) bool {
	n := utf8.RuneCount(key)
	return n > 0 && n <= limits.PartitionKey && utf8.Valid(key)
}

// added returns how many bytes a message has more than its prediction.
func (o *Outgoing) added() int {
	if o.Newline {
		return 1
	}
	return 0
}

// deliver sends the batch's messages, and returns the indexes of those that were
// not taken, in order, with the reason.
func (o *Outgoing) deliver(ctx context.Context, t Target, b *Batch) (unsent []int, err error) {
	messages := b.Messages
	if o.Newline {
		messages = b.asLines()
	}
	send := deliver
	if o.Ordered {
		send = deliverInOrder
	}
	if o.Pack == nil {
		return send(ctx, t, messages)
	}
	packed, of := o.Pack(messages)
	failed, err := send(ctx, t, packed)
	if len(failed) == 0 {
		return nil, err
	}
	for i, in := range of {
		if _, ok := slices.BinarySearch(failed, in); ok {
			unsent = append(unsent, i)
		}
	}
	return unsent, err
}

// asLines returns the batch's messages, each with a line feed behind it.
func (b *Batch) asLines() []Message {
	size := len(b.Messages)
	for i := range b.Messages {
		size += len(b.Messages[i].Data)
	}
	b.lines = slices.Grow(b.lines[:0], size) // it must not move
	b.outgoing = append(b.outgoing[:0], b.Messages...)
	for i := range b.outgoing {
		start := len(b.lines)
		b.lines = append(append(b.lines, b.outgoing[i].Data...), '\n')
		b.outgoing[i].Data = b.lines[start:len(b.lines):len(b.lines)]
	}
	return b.outgoing
}
