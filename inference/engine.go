package inference

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"
)

// A Model predicts. For every open item of the batch it appends a message, the
// prediction, or rejects the item; an error means that it cannot run at all.
// Calls may be concurrent.
type Model interface {
	Predict(b *Batch) error
}

// A Sink takes messages, at most as its [Limits] say in one call. When it does
// not take them all it returns why, and the indexes of those it did not take,
// in order; no indexes mean that it took none. An error that does not wrap
// [ErrPermanent] is one to try again after. Calls may be concurrent.
type Sink interface {
	Put(ctx context.Context, messages []Message) (failed []int, err error)
}

// An Observer is told what has become of a batch, and of an error that has all
// of it come again. It keeps nothing of the batch. Calls may be concurrent.
type Observer interface {
	Observe(ctx context.Context, b *Batch, err error)
}

// Limits are what a sink takes.
type Limits struct {
	Messages     int // in a call
	Bytes        int // in a call, keys included
	MessageBytes int // of a message, its key included
	Calls        int // at once
}

// A Target is a sink with its limits.
type Target struct {
	Sink
	Limits
}

// An Engine takes batches of items to their outcomes.
type Engine struct {
	// Outgoing says how predictions leave. It is set before the first batch.
	Outgoing Outgoing

	model       atomic.Pointer[Model]
	output      *Target
	deadLetters *Target
	log         *slog.Logger
	observer    Observer // nil: none
}

// NewEngine returns an engine. Without an output it makes test runs: it
// predicts, and publishes nothing. Without deadLetters, what can never succeed
// is left to whoever sent it.
func NewEngine(m Model, output, deadLetters *Target, log *slog.Logger) *Engine {
	e := &Engine{output: output, deadLetters: deadLetters, log: log}
	e.Use(m)
	return e
}

// Use replaces the model, as one value: batches under way keep theirs.
func (e *Engine) Use(m Model) { e.model.Store(&m) }

// Observe has the observer told of each batch. It comes before the first.
func (e *Engine) Observe(o Observer) { e.observer = o }

// A Batch is the items of one invocation, with what has become of them. It is
// used again: [Batch.Reset] keeps its memory.
type Batch struct {
	Records  int    // that the items are from
	Stream   []byte // the ARN of what they came from; empty where the event does not say it
	InOrder  bool   // with a record comes again all that is behind it, as in a stream
	Items    []Item
	Outcomes []Outcome // of the items, index by index
	Messages []Message // the predictions, in the order of their items
	Sent     []int     // the item of each message
	RunID    string    // of the model that made the predictions
	Unknown  int       // categories that training did not have
	Columns  []Column  // them, and values that are missing, by column
	Logged   time.Time // when the model was; zero where nobody knows
	Timing   Timing

	Canary    int       // of the predictions, those of another run than RunID
	Predicted Predicted // kept by a model that is asked to

	Buffer []byte // what the messages' data is in

	withMeta []byte    // or in, where they have more in them
	name     []byte    // of one item
	clock    clock     // of when items arrived
	outgoing []Message // what is published of the messages, where that is not what they are
	lines    []byte    // what its data is in

	parts [2]*part // of a Split
	runs  []string // of the items, where they are of more than one

	answered bool // to whoever asked: nothing comes again
}

// A Predicted is what a model predicted, in numbers, to be compared with what
// another model does: an item after the other, of each so many numbers and so
// many labels.
type Predicted struct {
	Form    string // what the numbers and labels are: only those of one form are comparable
	Items   []int
	Numbers []float64
	Labels  []int
}

// A Column is how much there is to say of a column's values, in the records that
// have predictions.
type Column struct {
	Name    string
	Unknown int // categories that training did not have
	Missing int // absent, or null
	Null    int // of them, null
}

// A Timing is how long the stages of an invocation took.
type Timing struct {
	Decode, Encode, Score, Respond, Publish time.Duration
}

// Reset makes the batch one of n open items, with no content yet, a record each.
func (b *Batch) Reset(n int) {
	b.Records, b.Stream, b.InOrder = n, nil, false
	b.Items, b.Outcomes = resize(b.Items, n), resize(b.Outcomes, n)
	clear(b.Items)
	clear(b.Outcomes)
	b.Messages, b.Sent, b.Buffer = b.Messages[:0], b.Sent[:0], b.Buffer[:0]
	b.RunID, b.Unknown, b.Columns, b.Logged, b.Timing = "", 0, b.Columns[:0], time.Time{}, Timing{}
	b.Canary, b.runs, b.answered = 0, b.runs[:0], false
	b.Predicted = Predicted{Items: b.Predicted.Items[:0], Numbers: b.Predicted.Numbers[:0], Labels: b.Predicted.Labels[:0]}
}

// resize returns s with length n, in the same memory where that has room.
func resize[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}

// Add adds an open item, with no content yet, and returns it. It is good until
// the next one is added.
func (b *Batch) Add() *Item {
	b.Items = append(b.Items, Item{})
	b.Outcomes = append(b.Outcomes, Outcome{})
	return &b.Items[len(b.Items)-1]
}

// Undealt returns the indexes of the items that are not dealt with.
func (b *Batch) Undealt() []int {
	var items []int
	for i := range b.Outcomes {
		if !b.Outcomes[i].DealtWith() {
			items = append(items, i)
		}
	}
	return items
}

// Handle decides what becomes of each item. It is an error when the model
// cannot run, or when the output will never take the predictions: then all of
// the batch has to come again.
func (e *Engine) Handle(ctx context.Context, b *Batch) error {
	return e.handle(ctx, b, e.settle)
}

// Answer is Handle for whoever asks and gets the predictions back: nothing is
// published, and what is rejected is nobody's but theirs.
func (e *Engine) Answer(ctx context.Context, b *Batch) error {
	b.answered = true
	return e.handle(ctx, b, func(context.Context, *Batch) error {
		b.allPublished()
		return nil
	})
}

func (e *Engine) handle(ctx context.Context, b *Batch, settle func(context.Context, *Batch) error) error {
	began := time.Now()
	err := (*e.model.Load()).Predict(b)
	if err == nil {
		mark := time.Now()
		e.Outgoing.prepare(b)
		err = settle(ctx, b)
		b.Timing.Publish = time.Since(mark)
	}
	e.reportRejections(ctx, b)
	if e.observer != nil {
		e.observer.Observe(ctx, b, err)
	}
	if err != nil {
		e.Fail(ctx, b, err)
		return err
	}
	e.report(ctx, b, time.Since(began))
	return nil
}
