package model

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/skiff-ml/skiff/inference"
	"github.com/skiff-ml/skiff/inference/bundle"
)

// ErrNotProved is that a model does not predict what the original pipeline
// predicted: the bundle, the worker or its onnxruntime differ from those of the
// conversion.
var ErrNotProved = errors.New("is not equal to its golden")

// provedCells is how many numbers of X are made of goldens at a time.
const provedCells = 1 << 20

// prove replays the goldens through encoding and scoring, which warms the model
// up as well. It returns an error for the first golden whose prediction is not
// the original pipeline's to the last bit, or within the golden's bound, or
// which is not rejected for the golden's reason; so does one that depends on
// the records around it.
func (m *Model) prove(goldens []bundle.Golden) error {
	s := m.take()
	defer m.give(s)
	most := min(max(provedCells/m.plan.Width(), 1), maxRows)
	for first := 0; first < len(goldens); first += most {
		if err := m.proveSome(goldens[first:min(first+most, len(goldens))], first, s); err != nil {
			return err
		}
	}
	return nil
}

// proveSome is prove of goldens that go to the scorer at once, first in their
// order and then the other way round.
func (m *Model) proveSome(goldens []bundle.Golden, first int, s *scratch) error {
	x, scored, err := m.encodeGoldens(goldens, first, s)
	if err != nil {
		return err
	}
	y := make([]float64, len(scored)*m.width)
	for range 2 {
		if err := m.score(x, y); err != nil {
			return fmt.Errorf("scoring the goldens of run %s: %w: %w", m.runID, bundle.ErrInvalid, err)
		}
		for row, i := range scored {
			if err := m.compare(first+i, &goldens[i], &s.prediction, y[row*m.width:(row+1)*m.width]); err != nil {
				return err
			}
		}
		reverse(x, m.plan.Width())
		slices.Reverse(scored)
	}
	return nil
}

// encodeGoldens returns the rows of the goldens that have one, and whose they
// are.
func (m *Model) encodeGoldens(goldens []bundle.Golden, first int, s *scratch) (x []float64, scored []int, err error) {
	columns := m.plan.Width()
	x = make([]float64, len(goldens)*columns)
	for i := range goldens {
		g, rows := &goldens[i], len(scored)
		var reason inference.Reason
		var field string
		_, r := m.plan.Encode([]byte(g.Record), x[rows*columns:(rows+1)*columns], s.plan)
		if r != nil {
			reason, field = r.Reason, r.Field
		} else {
			scored = append(scored, i)
		}
		if reason != g.Reject || field != g.Field {
			return nil, nil, m.notProved(first+i, "the record should have %s, and has %s", outcome(g.Reject, g.Field), outcome(reason, field))
		}
	}
	return x[:len(scored)*columns], scored, nil
}

// reverse turns rows of that width round, the last first.
func reverse(x []float64, width int) {
	slices.Reverse(x)
	for row := range slices.Chunk(x, width) {
		slices.Reverse(row)
	}
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
