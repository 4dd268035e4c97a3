package source

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/skiff-ml/skiff/inference"
	"github.com/skiff-ml/skiff/inference/jsonscan"
	"github.com/skiff-ml/skiff/inference/limits"
	"github.com/skiff-ml/skiff/inference/unpack"
)

// A Kinesis takes the events that an event source mapping of a Kinesis stream
// sends, and what else a function may be invoked with: see other.go. Calls may
// be concurrent.
type Kinesis struct {
	engine *inference.Engine
	event  *eventTree
	others []*eventTree // of events that are not Kinesis's

	// Reported says that whoever invokes reads batchItemFailures: the mapping's
	// FunctionResponseTypes has ReportBatchItemFailures. Others take any answer
	// for success, so that they get an error where an item is not dealt with.
	Reported bool

	// Unpack says what a record is taken apart from. It is set before the first
	// invocation.
	Unpack unpack.Formats

	mu   sync.Mutex
	free []*invocation // that are over; as many as ever ran side by side
}

// NewKinesis returns a source whose items the engine decides on. It takes apart
// what it can. The engine's Outgoing is set before.
func NewKinesis(e *inference.Engine) *Kinesis {
	k := &Kinesis{engine: e, event: newEventTree(kinesisLayout(), e.Outgoing.Meta), Unpack: unpack.All}
	for _, l := range []layout{queueLayout(), piped(kinesisLayout()), piped(queueLayout())} {
		k.others = append(k.others, newEventTree(l, e.Outgoing.Meta))
	}
	return k
}

// An invocation is the memory of one, used again by later ones.
type invocation struct {
	batch    inference.Batch
	elements []jsonscan.Value
	found    []jsonscan.Value
	docs     []byte
	unpacker *unpack.Unpacker
	parts    []unpack.Part
}

func (k *Kinesis) take() *invocation {
	k.mu.Lock()
	defer k.mu.Unlock()
	if last := len(k.free) - 1; last >= 0 {
		i := k.free[last]
		k.free = k.free[:last]
		return i
	}
	return &invocation{found: make([]jsonscan.Value, k.event.slots), unpacker: unpack.New(k.Unpack)}
}

// give takes an invocation back, unless records that held thousands of
// documents each have made it a large one.
func (k *Kinesis) give(i *invocation) {
	if cap(i.batch.Items) > 2*limits.BatchRecords {
		return
	}
	if i.unpacker.Total() > 0 {
		clear(i.batch.Items) // which keep what came out of records
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.free = append(k.free, i)
}

// An UndealtError is that items of an event are not dealt with, and that whoever
// invoked does not read the response, which names them.
type UndealtError struct {
	Items, Of int
	Why       error // of the first
	packed    bool  // records held several items
}

// Error says how many, and why the first.
func (u *UndealtError) Error() string {
	what := "records"
	if u.packed {
		what = "documents"
	}
	return fmt.Sprintf("%d of %d %s are not dealt with, the first: %v", u.Items, u.Of, what, u.Why)
}

// Unwrap returns why the first is not dealt with.
func (u *UndealtError) Unwrap() error { return u.Why }

// Invoke handles one event and returns the response: the predictions, in the
// order of the records, and the sequence numbers of the records that are not
// dealt with. It is an error when the event is not Kinesis's, when the model
// cannot run, or when the output will never take the predictions: then Lambda's
// retry has all of the batch again. It is an *[UndealtError], beside the response,
// when that would be taken for success and is none.
func (k *Kinesis) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	response, _, err := k.InvokeTimed(ctx, payload)
	return response, err
}

// InvokeTimed is Invoke with the time that each stage took.
func (k *Kinesis) InvokeTimed(ctx context.Context, payload []byte) ([]byte, inference.Timing, error) {
	i := k.take()
	defer k.give(i)
	response, err := k.invoke(ctx, i, payload, k.event)
	if errors.Is(err, errNoRecords) {
		response, err = k.other(ctx, i, payload)
	}
	return response, i.batch.Timing, err
}

// invoke handles an event of that layout. Its error wraps errNoRecords, and
// nothing has been done, where it is none.
func (k *Kinesis) invoke(ctx context.Context, i *invocation, payload []byte, t *eventTree) ([]byte, error) {
	b := &i.batch
	mark := time.Now()
	err := i.decode(payload, t)
	if errors.Is(err, errNoRecords) {
		return nil, err
	}
	if err != nil {
		return nil, k.fail(ctx, b, err)
	}
	b.Timing.Decode = time.Since(mark)
	if err := k.engine.Handle(ctx, b); err != nil {
		return nil, err
	}
	mark = time.Now()
	undealt := b.Undealt()
	response := i.answer(payload, t, undealt)
	b.Timing.Respond += time.Since(mark)
	if len(undealt) > 0 && !k.Reported {
		err := &UndealtError{len(undealt), len(b.Items), why(&b.Outcomes[undealt[0]]), len(b.Items) != b.Records}
		k.engine.Fail(ctx, b, err)
		return response, err
	}
	return response, nil
}

// fail logs that an event is none, and returns that.
func (k *Kinesis) fail(ctx context.Context, b *inference.Batch, err error) error {
	b.Reset(0)
	k.engine.Fail(ctx, b, err)
	return err
}

// why returns the reason of an outcome that is not dealt with.
func why(o *inference.Outcome) error {
	if o.Err != nil {
		return o.Err
	}
	return errors.New(string(o.Rejection.Reason))
}
