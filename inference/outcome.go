package inference

import (
	"bytes"
	"context"
	"errors"
	"fmt"
)

// What becomes of an item is decided here, and nowhere else:
//
//	a prediction that the output took        published
//	a prediction that it did not take        to be tried again, and why
//	a document that no prediction is for     rejected, and why
//	  that the dead-letter target took       dealt with: it never comes again
//	  that the target did not take           to be tried again, and why
//	  without such a target                  not dealt with
//
// Whoever answers for a batch reads only this: with anything that is not dealt
// with, a source asks for it again, or fails where nobody would read that.

// A Fate is what has become of an item.
type Fate uint8

// The fates. Every item starts open.
const (
	Open      Fate = iota // not decided yet
	Published             // its prediction is where it has to be; in a test run, where it would be
	Rejected              // it can never succeed
	Retry                 // it did not succeed this time
)

// An Outcome is what has become of one item. The zero Outcome is an open one.
type Outcome struct {
	Fate         Fate
	DeadLettered bool       // a rejected one's dead letter was confirmed
	Rejection    *Rejection // why it is rejected
	Err          error      // why it is to be tried again
}

// DealtWith reports whether the item need not come again.
func (o *Outcome) DealtWith() bool {
	return o.Fate == Published || o.Fate == Rejected && o.DeadLettered
}

// Whoever sends records sends them again whole: AWS's answers name records, not
// what is in them. With one item that is not dealt with comes all of its record,
// and in a stream all that is behind it as well, published or not.

// repeats counts the items that are published, and come again all the same.
// Who asked and was answered has not sent records, and sends nothing again.
func (b *Batch) repeats() int {
	if b.answered {
		return 0
	}
	n, again := 0, false
	for start := 0; start < len(b.Items); {
		end := start + 1
		for end < len(b.Items) && bytes.Equal(b.Items[end].Sequence, b.Items[start].Sequence) {
			end++
		}
		published := 0
		again = again && b.InOrder
		for i := start; i < end; i++ {
			if b.Outcomes[i].Fate == Published {
				published++
			}
			again = again || !b.Outcomes[i].DealtWith()
		}
		if again {
			n += published
		}
		start = end
	}
	return n
}

// A Reason says why an item can never succeed. The codes are part of the
// worker's interface: logs, dead letters and goldens carry them.
type Reason string

// The reasons.
const (
	NotBase64       Reason = "not_base64"       // the event's kinesis.data is absent or not base64
	NotJSON         Reason = "not_json"         // bad UTF-8 or syntax, NaN and Infinity literals, nesting over 1,000 deep; what is packed and damaged
	MissingField    Reason = "missing_field"    // a field that the model's columns or the id need
	WrongType       Reason = "wrong_type"       // text where a number was learned, a list, an object
	NotFinite       Reason = "not_finite"       // a number, or a prediction, that is infinite, NaN or beyond what the model can read
	UnknownCategory Reason = "unknown_category" // a category that training did not have, where the original refuses such
	Unreadable      Reason = "unreadable"       // text that cannot be read as the number or the time that it should be, or a time beyond pandas'
	TooLarge        Reason = "too_large"        // the prediction, which carries the record's id, is over the output's limit for one message; what is packed, over the worker's for one record
)

// Reasons returns all reasons.
func Reasons() []Reason {
	return []Reason{NotBase64, NotJSON, MissingField, WrongType, NotFinite, UnknownCategory, Unreadable, TooLarge}
}

// A Rejection is why an item can never succeed: retrying it is no use. None of
// it is the item's content.
type Rejection struct {
	Reason   Reason
	Field    string // dotted path into the document, such as ride.DOLocationID; empty for the document itself
	Detail   string // what was seen, such as "it is compressed with gzip"
	Expected string // what should be there, such as "a number"
	Found    string // what is there, such as "text"
}

// Reject decides that an item can never succeed.
func (b *Batch) Reject(item int, why *Rejection) {
	b.Outcomes[item] = Outcome{Fate: Rejected, Rejection: why}
}

// settle sends the predictions, and then the dead letters of what was rejected.
// Its error is that the predictions will never be taken: then all of the batch
// comes again, so that nothing is dead-lettered yet.
func (e *Engine) settle(ctx context.Context, b *Batch) error {
	if err := e.publish(ctx, b); err != nil {
		return err
	}
	e.bury(ctx, b)
	return nil
}

// publish sends the predictions to the output. Without one, in a test run,
// there is nothing left to do with them.
func (e *Engine) publish(ctx context.Context, b *Batch) error {
	if e.output == nil {
		b.allPublished()
		return nil
	}
	b.rejectTooLarge(e.output.MessageBytes - e.Outgoing.added())
	unsent, err := e.Outgoing.deliver(ctx, *e.output, b)
	b.allPublished()
	for _, m := range unsent {
		b.Outcomes[b.Sent[m]] = Outcome{Fate: Retry, Err: err}
	}
	if errors.Is(err, ErrPermanent) {
		return fmt.Errorf("publishing %d predictions: %w", len(b.Messages), err)
	}
	return nil
}

// allPublished says of all predictions that they are where they have to be.
func (b *Batch) allPublished() {
	for _, item := range b.Sent {
		b.Outcomes[item].Fate = Published
	}
}

// rejectTooLarge takes out the messages that are over the output's limit, which
// counts the key as well.
func (b *Batch) rejectTooLarge(limit int) {
	kept := 0
	for i, m := range b.Messages {
		item := b.Sent[i]
		if size := len(m.Key) + len(m.Data); size > limit {
			b.Reject(item, &Rejection{
				Reason: TooLarge,
				Detail: fmt.Sprintf("its prediction has %d bytes with the partition key, and %d are the limit", size, limit),
			})
			continue
		}
		b.Messages[kept], b.Sent[kept] = m, item
		kept++
	}
	b.Messages, b.Sent = b.Messages[:kept], b.Sent[:kept]
}

// bury sends a dead letter for each rejected item, where there is a target for
// them. What the target does not confirm is to be tried again.
func (e *Engine) bury(ctx context.Context, b *Batch) {
	if e.deadLetters == nil {
		return
	}
	letters, items := b.deadLetters(e.deadLetters.MessageBytes, TraceOf(ctx))
	if len(letters) == 0 {
		return
	}
	unsent, err := deliver(ctx, *e.deadLetters, letters)
	for _, item := range items {
		b.Outcomes[item].DeadLettered = true
	}
	for _, m := range unsent {
		b.Outcomes[items[m]] = Outcome{Fate: Retry, Rejection: b.Outcomes[items[m]].Rejection, Err: fmt.Errorf("dead-lettering: %w", err)}
	}
}
