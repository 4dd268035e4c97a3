package inference

import "math"

// maxRows is how many rows go to the scorer in one call: enough to make the
// call's own cost nothing a row, few enough to stay in the processor's cache.
const maxRows = 1024

// A Scorer predicts. X holds len(y) rows, row-major, of as many columns as the
// model's input has; y gets one prediction a row. A row's prediction does not
// depend on the rows around it. Calls may be concurrent.
type Scorer interface {
	Score(x, y []float64) error
}

// score predicts all of y in calls of at most maxRows.
func score(s Scorer, x, y []float64, columns int) error {
	for len(y) > 0 {
		n := min(len(y), maxRows)
		if err := s.Score(x[:n*columns], y[:n]); err != nil {
			return err
		}
		x, y = x[n*columns:], y[n:]
	}
	return nil
}

// finite reports whether a prediction is a number that JSON has.
func finite(f float64) bool { return !math.IsNaN(f) && !math.IsInf(f, 0) }
