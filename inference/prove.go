package inference

import (
	"fmt"
	"math"
)

// prove replays the bundle's goldens through encoding and scoring, which warms
// the model up as well. It returns an error for the first golden whose
// prediction is not the original pipeline's to the last bit, or within the
// golden's bound, or which is not rejected for the golden's reason.
func prove(b *Bundle, e *encoder, scorer Scorer) error {
	s := e.newScratch()
	width := len(e.columns)
	x := make([]float64, len(b.Goldens)*width)
	rows := 0
	for i := range b.Goldens {
		g := &b.Goldens[i]
		_, r := e.encode([]byte(g.Record), x[rows*width:(rows+1)*width], s)
		if r.Reason != g.Reject || r.Field != g.Field {
			return notProved(b, i, "the record should have %s, and has %s", outcome(g.Reject, g.Field), outcome(r.Reason, r.Field))
		}
		if !r.rejected() {
			rows++
		}
	}
	y := make([]float64, rows)
	if err := score(scorer, x[:rows*width], y, width); err != nil {
		return fmt.Errorf("scoring the goldens of run %s: %w", b.Manifest.RunID, err)
	}
	for i := range b.Goldens {
		g := &b.Goldens[i]
		if g.Prediction == nil {
			continue
		}
		got, want := y[0], *g.Prediction
		y = y[1:]
		equal := math.Float64bits(got) == math.Float64bits(want)
		if g.Within > 0 {
			equal = math.Abs(got-want) <= g.Within
		}
		if !equal || !finite(got) {
			return notProved(b, i, "it predicts %v, and the original pipeline %v", got, want)
		}
	}
	return nil
}

func outcome(reason Reason, field string) string {
	if reason == "" {
		return "a prediction"
	}
	return fmt.Sprintf("the reason %s (field %q)", reason, field)
}

func notProved(b *Bundle, golden int, format string, args ...any) error {
	return WithHint(fmt.Errorf("the bundle of run %s is not equal to its golden %d: %s",
		b.Manifest.RunID, golden+1, fmt.Sprintf(format, args...)),
		"the bundle, this worker or its onnxruntime differ from those of the conversion: "+convertAgain)
}
