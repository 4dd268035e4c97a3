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
	batches sync.Pool // of *batch
}

// NewHandler returns a handler for the bundle's model, which scorer has
// loaded. A nil stream makes a test run: nothing is published.
func NewHandler(b *Bundle, scorer Scorer, stream Stream, log *slog.Logger) *Handler {
	return &Handler{
		encoder: newEncoder(&b.Manifest),
		event:   newEventTree(),
		scorer:  scorer,
		output:  newOutput(&b.Manifest),
		stream:  stream,
		log:     log.With("run_id", b.Manifest.RunID),
	}
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

// Invoke handles one event and returns the response: the predictions, in the
// order of the records, and the sequence numbers of the records that are not
// dealt with. It is an error when the event is none, when the model cannot
// run, or when the stream will never take the predictions: then Lambda's
// retry has all of the batch again.
func (h *Handler) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	began := time.Now()
	b, _ := h.batches.Get().(*batch)
	if b == nil {
		b = &batch{scratch: h.encoder.newScratch(), eventFound: make([]value, h.event.slots)}
	}
	defer h.batches.Put(b)

	if err := b.decode(payload, h.event); err != nil {
		return nil, err
	}
	rows := b.encode(h.encoder)
	if err := score(h.scorer, b.x, b.y, len(h.encoder.columns)); err != nil {
		return nil, fmt.Errorf("scoring %d records: %w", rows, err)
	}
	response := b.respond(h.output)
	var unsent []int
	if h.stream != nil {
		var err error
		unsent, err = publish(ctx, h.stream, b.messages)
		switch {
		case errors.Is(err, ErrPermanent):
			return nil, fmt.Errorf("publishing %d predictions: %w", len(b.messages), err)
		case err != nil:
			h.log.Error("predictions not published", "unsent", len(unsent), "error", err.Error())
		}
	}
	failed := b.failures(unsent)
	h.report(ctx, b, len(unsent), time.Since(began))
	return finish(response, failed), nil
}

// encode fills x with the rows of the records that have one, and returns how
// many they are.
func (b *batch) encode(e *encoder) int {
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
	return rows
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
	level := slog.LevelInfo
	if rejected+unsent > 0 {
		level = slog.LevelWarn
	}
	h.log.LogAttrs(ctx, level, "invocation",
		slog.Int("records", len(b.records)), slog.Int("predicted", len(b.sent)), slog.Int("rejected", rejected),
		slog.Int("unsent", unsent), slog.Int("unknown_categories", b.unknown),
		slog.Float64("ms", float64(took.Microseconds())/1000))
}
