package model

import (
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/skiff-ml/skiff/inference"
	"github.com/skiff-ml/skiff/inference/bundle"
	"github.com/skiff-ml/skiff/inference/drift"
	"github.com/skiff-ml/skiff/inference/feature"
	"github.com/skiff-ml/skiff/inference/jsonscan"
)

// A Model is a proved bundle that serves. It is one value: whoever replaces it
// replaces all that belongs to its run.
type Model struct {
	runID  string
	plan   *feature.Plan
	scorer Scorer
	output *output
	width  int // values of a row of y
	logged time.Time
	form   string // of what it predicts
	keeps  bool
	drift  *drift.Counter // nil: nothing is counted

	mu   sync.Mutex
	free []*scratch // of calls that are over; as many as ever ran side by side
}

var _ inference.Model = (*Model)(nil)

// New returns the bundle's model, which scorer has loaded, once it has replayed
// the bundle's goldens: one that does not predict what the original pipeline
// predicted is an error that wraps [ErrNotProved].
func New(b *bundle.Bundle, scorer Scorer) (*Model, error) {
	m := &Model{
		runID: b.Manifest.RunID, plan: feature.Compile(b.Manifest.Columns, b.Manifest.ID),
		scorer: scorer, output: newOutput(&b.Manifest), width: b.Manifest.Width(),
	}
	m.form = formOf(b.Manifest.Outputs)
	m.logged, _ = time.Parse(time.RFC3339, b.Manifest.Created) // for people: it may be anything
	if b.Manifest.Empty == bundle.Refuse {
		m.plan.RefuseEmpty()
	}
	if err := m.prove(b.Goldens); err != nil {
		return nil, err
	}
	return m, nil
}

// Close frees the model's session. Batches under way fail.
func (m *Model) Close() error {
	if c, ok := m.scorer.(io.Closer); ok {
		return c.Close()
	}
	return nil
}

// A scratch is the memory of one call, used again by later ones.
type scratch struct {
	plan    *feature.Scratch
	x, y    []float64
	rows    []row
	keys    []byte
	keyEnds []int

	prediction prediction

	numbers []float64 // of the predictions, to be counted
	labels  []int
}

// A row is one of x and y: whose it is, and that item's id.
type row struct {
	item int
	id   jsonscan.Value
}

func (m *Model) take() *scratch {
	m.mu.Lock()
	defer m.mu.Unlock()
	if last := len(m.free) - 1; last >= 0 {
		s := m.free[last]
		m.free = m.free[:last]
		return s
	}
	return &scratch{plan: m.plan.NewScratch(), prediction: m.output.newPrediction()}
}

func (m *Model) give(s *scratch) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.free = append(m.free, s)
}

// Predict implements [inference.Model].
func (m *Model) Predict(b *inference.Batch) error {
	s := m.take()
	defer m.give(s)
	b.RunID, b.Logged = m.runID, m.logged
	mark := time.Now()
	lap := func(stage *time.Duration) {
		now := time.Now()
		*stage, mark = now.Sub(mark), now
	}
	m.encode(b, s)
	lap(&b.Timing.Encode)
	if err := m.score(s.x, s.y); err != nil {
		return fmt.Errorf("scoring %d records: %w", len(s.rows), err)
	}
	lap(&b.Timing.Score)
	m.write(b, s)
	if m.drift != nil {
		m.count(b, s)
	}
	lap(&b.Timing.Respond)
	return nil
}

// encode fills x with the rows of the items that have one, and makes y of as
// many.
func (m *Model) encode(b *inference.Batch, s *scratch) {
	width := m.plan.Width()
	s.x = resize(s.x, len(b.Items)*width)
	s.rows = s.rows[:0]
	b.Columns = m.plan.Columns(b.Columns)
	for i := range b.Items {
		if b.Outcomes[i].Fate != inference.Open {
			continue
		}
		item, n := &b.Items[i], len(s.rows)
		out, r := m.plan.Encode(item.Data, s.x[n*width:(n+1)*width], s.plan)
		if out.ID.Kind != jsonscan.Absent {
			item.ID = out.ID.Raw(item.Data)
		}
		if r != nil {
			b.Reject(i, r)
			continue
		}
		s.rows = append(s.rows, row{i, out.ID})
		b.Unknown += out.Unknown
		m.plan.Count(s.plan, b.Columns)
		if out.Unknown > 0 && m.drift != nil && m.drift.Words {
			m.plan.EachUnknown(item.Data, s.plan, m.drift.See)
		}
	}
	s.x = s.x[:len(s.rows)*width]
	s.y = resize(s.y, len(s.rows)*m.width)
}

// write makes the predictions of y the batch's messages. One that is not a
// number is a rejection of its item.
func (m *Model) write(b *inference.Batch, s *scratch) {
	size := 0
	for _, r := range s.rows {
		size += m.output.size + len(b.Items[r.item].ID)
	}
	b.Buffer = slices.Grow(b.Buffer[:0], size) // it must not move: messages point into it
	s.keys, s.keyEnds = s.keys[:0], s.keyEnds[:0]
	s.numbers, s.labels = s.numbers[:0], s.labels[:0]
	for i, r := range s.rows {
		item, start := &b.Items[r.item], len(b.Buffer)
		if notFinite := m.output.predict(&s.prediction, s.y[i*m.width:(i+1)*m.width]); notFinite != "" {
			b.Reject(r.item, &inference.Rejection{
				Reason: inference.NotFinite, Field: notFinite, Detail: "the model's prediction is not finite",
			})
			continue
		}
		if m.keeps {
			m.keep(b, r.item, &s.prediction)
		}
		if m.drift != nil {
			s.numbers = m.output.appendCounted(s.numbers, &s.prediction)
			s.labels = append(s.labels, s.prediction.labels...)
		}
		data := m.output.append(b.Buffer, &s.prediction, item.ID)
		b.Buffer = data
		b.Messages = append(b.Messages, inference.Message{Data: data[start:len(data):len(data)]})
		b.Sent = append(b.Sent, r.item)
		s.keys = appendKey(s.keys, item, r.id)
		s.keyEnds = append(s.keyEnds, len(s.keys))
	}
	// one string for all the keys, instead of one for each
	keys, start := string(s.keys), 0
	for i, end := range s.keyEnds {
		b.Messages[i].Key, start = keys[start:end], end
	}
}

// resize returns s with length n, in the same memory where that has room.
func resize[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}
