package source

import (
	"errors"

	"github.com/skiff-ml/skiff/inference"
	"github.com/skiff-ml/skiff/inference/hint"
	"github.com/skiff-ml/skiff/inference/unpack"
)

// The bounds of one invocation. The record that passes one is still taken, so
// that there is progress; those behind it come again.
const (
	maxBytes = 2 * unpack.MaxBytes // that came out of what was compressed
	maxItems = unpack.MaxDocuments
)

var errFull = hint.With(errors.New("the records before it hold all that an invocation takes: it comes again"),
	"that is no fault; with a lower BatchSize in the event source mapping no record is sent in vain")

// isFull reports whether no further record is taken.
func (i *invocation) isFull() bool {
	return i.unpacker.Total() > maxBytes || len(i.batch.Items) > maxItems
}

// comesAgain has the last item come again where there is no room for it, with all
// behind it: also what is to be rejected, or its dead letter would be there twice.
func (i *invocation) comesAgain() bool {
	if !i.isFull() {
		return false
	}
	i.batch.Outcomes[len(i.batch.Items)-1] = inference.Outcome{Fate: inference.Retry, Err: errFull}
	return true
}

// reject rejects the last item, which cannot be taken apart, where there is room.
func (i *invocation) reject(why *inference.Rejection) {
	if !i.comesAgain() {
		i.batch.Reject(len(i.batch.Items)-1, why)
	}
}

// takeApart makes the last item those that its record holds, where there is room.
func (i *invocation) takeApart() {
	if !i.comesAgain() && !i.unpacker.IsPlain(i.batch.Items[len(i.batch.Items)-1].Data) {
		i.unpack()
	}
}

// unpack replaces the last item, whose record may hold several, by those. They
// have its place in the stream, and their own in the record, from 1 on, as long
// as there is more than one. A record may hold none.
func (i *invocation) unpack() {
	b := &i.batch
	last := len(b.Items) - 1
	record := b.Items[last]
	b.Items, b.Outcomes = b.Items[:last], b.Outcomes[:last]
	i.parts = i.unpacker.Unpack(i.parts[:0], record.Data)
	for n := range i.parts {
		p := &i.parts[n]
		item := b.Add()
		item.Ref, item.Key, item.Data = record.Ref, record.Key, p.Data
		if p.Key != nil {
			item.Key = p.Key
		}
		if len(i.parts) > 1 {
			item.Sub = n + 1
		}
		if p.Rejection != nil {
			b.Outcomes[last+n] = inference.Outcome{Fate: inference.Rejected, Rejection: p.Rejection}
		}
	}
	clear(i.parts) // so that nothing is kept that came out of a record
}
