package model

import (
	"errors"
	"fmt"
	"math"

	"skiff/inference"
	"skiff/inference/bundle"
)

// ErrNotProved is that a model does not predict what the original pipeline
// predicted: the bundle, the worker or its onnxruntime differ from those of the
// conversion.
var ErrNotProved = errors.New("is not equal to its golden")

// prove replays the goldens through encoding and scoring, which warms the model
// up as well. It returns an error for the first golden whose prediction is not
// the original pipeline's to the last bit, or within the golden's bound, or
// which is not rejected for the golden's reason.
func (m *Model) prove(goldens []bundle.Golden) error {
	s := m.take()
	defer m.give(s)
	columns := m.plan.Width()
	x := make([]float64, len(goldens)*columns)
	rows := 0
	for i := range goldens {
		g := &goldens[i]
		var reason inference.Reason
		var field string
		_, r := m.plan.Encode([]byte(g.Record), x[rows*columns:(rows+1)*columns], s.plan)
		if r != nil {
			reason, field = r.Reason, r.Field
		}
		if reason != g.Reject || field != g.Field {
			return m.notProved(i, "the record should have %s, and has %s", outcome(g.Reject, g.Field), outcome(reason, field))
		}
		if r == nil {
			rows++
		}
	}
	y := make([]float64, rows*m.width)
	if err := m.score(x[:rows*columns], y); err != nil {
		return fmt.Errorf("scoring the goldens of run %s: %w", m.runID, err)
	}
	for i := range goldens {
		if goldens[i].Reject != "" {
			continue
		}
		if err := m.compare(i, &goldens[i], &s.prediction, y[:m.width]); err != nil {
			return err
		}
		y = y[m.width:]
	}
	return nil
}

// compare makes a row of y a prediction, and returns an error where it is not
// the golden's.
func (m *Model) compare(i int, g *bundle.Golden, p *prediction, y []float64) error {
	if notFinite := m.output.predict(p, y); notFinite != "" {
		return m.notProved(i, "its %s is not finite", notFinite)
	}
	if len(g.Want) != len(p.numbers) || len(g.Labels) != len(p.labels) {
		return m.notProved(i, "it predicts %d numbers and %d labels, and the golden has %d and %d",
			len(p.numbers), len(p.labels), len(g.Want), len(g.Labels))
	}
	for j, want := range g.Want {
		got := p.numbers[j]
		equal := math.Float64bits(got) == math.Float64bits(want)
		if g.Within > 0 {
			equal = math.Abs(got-want) <= g.Within
		}
		if !equal {
			return m.notProved(i, "it predicts %v, and the original pipeline %v", got, want)
		}
	}
	for j, want := range g.Labels {
		if got := p.labels[j]; got != want {
			return m.notProved(i, "it predicts the label number %d, and the original pipeline number %d", got+1, want+1)
		}
	}
	return nil
}

func outcome(reason inference.Reason, field string) string {
	if reason == "" {
		return "a prediction"
	}
	return fmt.Sprintf("the reason %s (field %q)", reason, field)
}

func (m *Model) notProved(golden int, format string, args ...any) error {
	return fmt.Errorf("the bundle of run %s %w %d: %s", m.runID, ErrNotProved, golden+1, fmt.Sprintf(format, args...))
}
