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
		g := &goldens[i]
		for _, want := range g.Want {
			got := y[0]
			y = y[1:]
			equal := math.Float64bits(got) == math.Float64bits(want)
			if g.Within > 0 {
				equal = math.Abs(got-want) <= g.Within
			}
			if !equal || !finite(got) {
				return m.notProved(i, "it predicts %v, and the original pipeline %v", got, want)
			}
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

// finite reports whether f is a number that JSON has.
func finite(f float64) bool { return !math.IsNaN(f) && !math.IsInf(f, 0) }
