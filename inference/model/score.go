package model

import "errors"

// maxRows is how many rows go to the scorer in one call: enough to make the
// call's own cost nothing a row, few enough to stay in the processor's cache.
const maxRows = 1024

// ErrRuntime is that what scores cannot be loaded.
var ErrRuntime = errors.New("loading onnxruntime")

// A Scorer predicts. X holds rows, row-major, of as many columns as the
// model's input has; Y gets as many, of as many values as its outputs have. A
// row's prediction does not depend on the rows around it. Calls may be
// concurrent.
type Scorer interface {
	Score(x, y []float64) error
}

// score predicts all of y, rows of that width, in calls of at most maxRows.
func (m *Model) score(x, y []float64) error {
	for len(y) > 0 {
		n := min(len(y)/m.width, maxRows)
		in, out := n*m.plan.Width(), n*m.width
		if err := m.scorer.Score(x[:in], y[:out]); err != nil {
			return err
		}
		x, y = x[in:], y[out:]
	}
	return nil
}
