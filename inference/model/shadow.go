package model

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/skiff-ml/skiff/inference"
	"github.com/skiff-ml/skiff/inference/bundle"
)

// shadowTime is the most that an invocation waits for a shadow, whose
// predictions nobody else waits for.
const shadowTime = time.Second

// What keeps a shadow from being compared.
var (
	ErrOtherForm = errors.New("its outputs are not those of the model that serves")
	ErrBusy      = errors.New("it is still at an earlier batch")
	ErrSlow      = errors.New("it was too slow")
)

// A Difference is how a shadow's predictions differ from those that were
// published, over all the numbers of the records that both predicted.
type Difference struct {
	Records, Numbers   int
	Refused            int     // records that the shadow has no prediction for
	Mean, P99, Largest float64 // of the differences, without their signs
	Beyond             int     // numbers that differ by more than the threshold
	LabelsChanged      int
}

// A Shadow is a model that predicts what another one has published, to be
// compared. It publishes nothing; that it fails or is slow changes nothing but
// that there is no difference to tell.
type Shadow struct {
	model     *Model
	threshold float64
	turn      chan struct{} // holds one token: whoever has it may use what is below

	s        *scratch
	want     []float64
	labels   []int
	distance []float64
}

// NewShadow returns a shadow that counts differences beyond the threshold, in the
// output's unit.
func NewShadow(m *Model, threshold float64) *Shadow {
	s := &Shadow{model: m, threshold: threshold, turn: make(chan struct{}, 1), s: m.take()}
	s.turn <- struct{}{}
	return s
}

// RunID returns the shadow's run.
func (s *Shadow) RunID() string { return s.model.runID }

// Compare predicts what the batch's model has predicted and kept, and compares.
// It takes no longer than shadowTime, and than half of what is left of ctx's
// time: what has not been scored by then goes on without anybody waiting, and
// later batches are skipped until it is done.
func (s *Shadow) Compare(ctx context.Context, b *inference.Batch) (Difference, error) {
	if len(b.Predicted.Items) == 0 {
		return Difference{}, nil
	}
	if b.Predicted.Form != s.model.form {
		return Difference{}, ErrOtherForm
	}
	select {
	case <-s.turn:
	default:
		return Difference{}, ErrBusy
	}
	refused := s.encode(b)
	wait := shadowTime
	if deadline, ok := ctx.Deadline(); ok {
		wait = min(wait, time.Until(deadline)/2)
	}
	type result struct {
		Difference
		err error
	}
	done := make(chan result, 1)
	go func() {
		d, err := s.score()
		d.Refused += refused
		s.turn <- struct{}{} // first, so that the next batch finds it
		done <- result{d, err}
	}()
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case r := <-done:
		return r.Difference, r.err
	case <-timer.C:
	case <-ctx.Done():
	}
	return Difference{}, ErrSlow
}

// encode makes rows of the records, and copies what was predicted of them: the
// batch's memory is used again while a slow shadow is at it. It returns how many
// the shadow refuses.
func (s *Shadow) encode(b *inference.Batch) (refused int) {
	m, p := s.model, &b.Predicted
	columns, numbers, labels := m.plan.Width(), m.output.numbers, m.output.labels
	s.s.x = resize(s.s.x, len(p.Items)*columns)
	s.want, s.labels = s.want[:0], s.labels[:0]
	rows := 0
	for i, item := range p.Items {
		if _, r := m.plan.Encode(b.Items[item].Data, s.s.x[rows*columns:(rows+1)*columns], s.s.plan); r != nil {
			refused++
			continue
		}
		s.want = append(s.want, p.Numbers[i*numbers:(i+1)*numbers]...)
		s.labels = append(s.labels, p.Labels[i*labels:(i+1)*labels]...)
		rows++
	}
	s.s.x, s.s.y = s.s.x[:rows*columns], resize(s.s.y, rows*m.width)
	return refused
}

// score predicts the rows and compares.
func (s *Shadow) score() (d Difference, err error) {
	defer func() {
		if why := recover(); why != nil {
			err = fmt.Errorf("panic: %v", why)
		}
	}()
	m := s.model
	if err := m.score(s.s.x, s.s.y); err != nil {
		return d, err
	}
	s.distance = s.distance[:0]
	sum, numbers, labels := 0.0, m.output.numbers, m.output.labels
	for i := range len(s.s.y) / m.width {
		if m.output.predict(&s.s.prediction, s.s.y[i*m.width:(i+1)*m.width]) != "" {
			d.Refused++ // not finite
			continue
		}
		d.Records++
		for j, got := range s.s.prediction.numbers {
			distance := math.Abs(got - s.want[i*numbers+j])
			if s.distance = append(s.distance, distance); distance > s.threshold {
				d.Beyond++
			}
			sum += distance
		}
		if !slices.Equal(s.s.prediction.labels, s.labels[i*labels:(i+1)*labels]) {
			d.LabelsChanged++
		}
	}
	if d.Numbers = len(s.distance); d.Numbers > 0 {
		slices.Sort(s.distance)
		d.Mean, d.Largest = sum/float64(d.Numbers), s.distance[d.Numbers-1]
		d.P99 = s.distance[(d.Numbers*99+99)/100-1] // the nearest rank
	}
	return d, nil
}

// Keep has the model keep what it predicts in a batch's Predicted. It comes
// before the first.
func (m *Model) Keep() { m.keeps = true }

// keep adds a prediction to those that are kept.
func (m *Model) keep(b *inference.Batch, item int, p *prediction) {
	k := &b.Predicted
	k.Form = m.form
	k.Items, k.Numbers, k.Labels = append(k.Items, item), append(k.Numbers, p.numbers...), append(k.Labels, p.labels...)
}

// formOf returns what the numbers and labels of a prediction are: outputs of one
// form are comparable, however they are computed.
func formOf(outputs []bundle.Output) string {
	same := slices.Clone(outputs)
	for i := range same {
		o := &same[i]
		o.Unit, o.Link, o.Decide, o.Cut = "", "", "", nil
		if o.Kind == bundle.Label && o.Margin == nil {
			o.Width = 0 // its scores are not put out
		}
	}
	form, err := json.Marshal(same, json.Deterministic(true))
	if err != nil {
		panic(err) // text and numbers
	}
	return string(form)
}
