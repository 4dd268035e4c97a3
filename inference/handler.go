package inference

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// maxRejectionLines is how many rejections of one invocation are logged one
// by one. The invocation's own line counts them all.
const maxRejectionLines = 10

// A Handler serves invocations of one model. Its Invoke is that of a Lambda
// handler. Calls may be concurrent.
type Handler struct {
	encoder *encoder
	event   *eventTree
	scorer  Scorer
	output  *output
	stream  Stream // nil: predict and answer, write nothing
	log     *slog.Logger

	mu   sync.Mutex
	free []*batch // of invocations that are over; as many as ever ran side by side
}

// NewHandler returns a handler for the bundle's model, which scorer has
// loaded, once it has replayed the bundle's goldens: a model that does not
// predict what the original pipeline predicted has no handler. A nil stream
// makes a test run: nothing is published.
func NewHandler(b *Bundle, scorer Scorer, stream Stream, log *slog.Logger) (*Handler, error) {
	h := &Handler{
		encoder: newEncoder(&b.Manifest),
		event:   newEventTree(),
		scorer:  scorer,
		output:  newOutput(&b.Manifest),
		stream:  stream,
		log:     log.With("run_id", b.Manifest.RunID),
	}
	if err := prove(b, h.encoder, scorer); err != nil {
		return nil, err
	}
	return h, nil
}

// A batch is the memory of one invocation, used again by later ones.
type batch struct {
	elements   []value  // decode
	eventFound []value  // decode
	docs       []byte   // decode
	records    []record // decode
	scratch    *scratch // encode
	x, y       []float64
	unknown    int
	keys       []byte    // respond
	keyEnds    []int     // respond
	messages   []Message // respond
	sent       []int     // respond: the record of each message
}

// take returns the memory for an invocation, and give takes it back.
func (h *Handler) take() *batch {
	h.mu.Lock()
	defer h.mu.Unlock()
	if last := len(h.free) - 1; last >= 0 {
		b := h.free[last]
		h.free = h.free[:last]
		return b
	}
	return &batch{scratch: h.encoder.newScratch(), eventFound: make([]value, h.event.slots)}
}

func (h *Handler) give(b *batch) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.free = append(h.free, b)
}

// A Timing is how long the stages of an invocation took.
type Timing struct {
	Decode, Encode, Score, Respond, Publish time.Duration
}

// Invoke handles one event and returns the response: the predictions, in the
// order of the records, and the sequence numbers of the records that are not
// dealt with. It is an error when the event is none, when the model cannot
// run, or when the stream will never take the predictions: then Lambda's
// retry has all of the batch again.
func (h *Handler) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	response, _, err := h.InvokeTimed(ctx, payload)
	return response, err
}

// InvokeTimed is Invoke with the time that each stage took.
func (h *Handler) InvokeTimed(ctx context.Context, payload []byte) (response []byte, t Timing, err error) {
	began := time.Now()
	mark := began
	lap := func(stage *time.Duration) {
		now := time.Now()
		*stage, mark = now.Sub(mark), now
	}
	b := h.take()
	defer h.give(b)
	defer func() {
		if err != nil {
			h.reportFailure(ctx, b, err)
		}
	}()

	if err := b.decode(payload, h.event); err != nil {
		return nil, t, err
	}
	lap(&t.Decode)
	b.encode(h.encoder)
	lap(&t.Encode)
	if err := score(h.scorer, b.x, b.y, len(h.encoder.columns)); err != nil {
		return nil, t, fmt.Errorf("scoring %d records: %w", len(b.y), err)
	}
	lap(&t.Score)
	response = b.respond(h.output)
	lap(&t.Respond)
	unsent, err := h.publish(ctx, b.messages)
	if err != nil {
		return nil, t, err
	}
	lap(&t.Publish)
	response = finish(response, b.failures(unsent))
	h.report(ctx, b, len(unsent), time.Since(began))
	return response, t, nil
}

// publish sends the predictions and returns the indexes of the unsent ones,
// which are worth another try.
func (h *Handler) publish(ctx context.Context, messages []Message) ([]int, error) {
	if h.stream == nil {
		return nil, nil
	}
	unsent, err := publish(ctx, h.stream, messages)
	if errors.Is(err, ErrPermanent) {
		return nil, fmt.Errorf("publishing %d predictions: %w", len(messages), err)
	}
	if err != nil {
		h.log.LogAttrs(ctx, slog.LevelError, "predictions not published",
			slog.Int("unsent", len(unsent)), slog.String("error", err.Error()))
	}
	return unsent, nil
}

// encode fills x with the rows of the records that have one, and makes y of as
// many.
func (b *batch) encode(e *encoder) {
	width := len(e.columns)
	b.x = grow(b.x, len(b.records)*width)
	b.unknown = 0
	rows := 0
	for i := range b.records {
		r := &b.records[i]
		if r.rejection.rejected() {
			continue
		}
		var out encoded
		if out, r.rejection = e.encode(r.doc, b.x[rows*width:(rows+1)*width], b.scratch); r.rejection.rejected() {
			continue
		}
		r.id, r.row = out.id, rows
		b.unknown += out.unknown
		rows++
	}
	b.x = b.x[:rows*width]
	b.y = grow(b.y, rows)
}

// failures returns the records to report, in order: the unsent messages', for
// which the mapping tries again, and the rejected ones, which go to its
// on-failure destination when its retries are used up. Nothing is dropped.
func (b *batch) failures(unsent []int) []*record {
	var failed []*record
	for i := range b.records {
		if r := &b.records[i]; r.rejection.rejected() {
			failed = append(failed, r)
		} else if len(unsent) > 0 && b.sent[unsent[0]] == i {
			failed = append(failed, r)
			unsent = unsent[1:]
		}
	}
	return failed
}

// report logs the invocation in one line, and the first rejections in one each.
func (h *Handler) report(ctx context.Context, b *batch, unsent int, took time.Duration) {
	rejected := h.reportRejections(ctx, b)
	level := slog.LevelInfo
	if rejected+unsent > 0 {
		level = slog.LevelWarn
	}
	h.log.LogAttrs(ctx, level, "invocation",
		slog.Int("records", len(b.records)), slog.Int("predicted", len(b.sent)), slog.Int("rejected", rejected),
		slog.Int("unsent", unsent), slog.Int("unknown_categories", b.unknown),
		slog.Float64("ms", float64(took.Microseconds())/1000))
}

// reportFailure logs an invocation that is an error.
func (h *Handler) reportFailure(ctx context.Context, b *batch, err error) {
	rejected := h.reportRejections(ctx, b)
	h.log.LogAttrs(ctx, slog.LevelError, "invocation failed",
		slog.Int("records", len(b.records)), slog.Int("rejected", rejected),
		slog.String("error", err.Error()), slog.String("hint", Hint(err)))
}

// reportRejections logs the first rejections, and returns how many there are.
func (h *Handler) reportRejections(ctx context.Context, b *batch) int {
	rejected := 0
	for i := range b.records {
		r := &b.records[i]
		if !r.rejection.rejected() {
			continue
		}
		if rejected++; rejected <= maxRejectionLines {
			h.log.LogAttrs(ctx, slog.LevelWarn, "record rejected",
				slog.String("reason", string(r.rejection.Reason)), slog.String("field", r.rejection.Field),
				slog.String("sequence_number", string(r.sequence)), slog.String("event_id", string(r.eventID)))
		}
	}
	return rejected
}
