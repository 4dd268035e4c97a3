package main

import (
	"encoding/json"
	"fmt"
	"math"
	"os"

	"github.com/skiff-ml/skiff/inference/hint"
)

// bound is how far, in minutes, the predictions of a candidate that promises
// no bits may be from the pipeline's: beyond it the work is not the same.
// Leaves and sums of float32 are 0.00002 off.
const bound = 0.001

// An Agreement is how a candidate's predictions compare with the original
// pipeline's.
type Agreement struct {
	Compared int     `json:"compared"` // records
	Equal    int     `json:"equal"`    // to the last bit
	Largest  float64 `json:"largest_difference"`
}

// readPredictions reads the original pipeline's predictions, minutes.
func readPredictions(file string) ([]float64, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, hint.With(fmt.Errorf("reading the pipeline's predictions: %w", err), "run it by `make compare`")
	}
	var predictions []float64
	if err := json.Unmarshal(raw, &predictions); err != nil {
		return nil, fmt.Errorf("reading %s: %w", file, err)
	}
	if len(predictions) != rideCount {
		return nil, fmt.Errorf("%s has %d predictions, not %d", file, len(predictions), rideCount)
	}
	return predictions, nil
}

// check has a candidate predict every ride, or the first of them where it is
// slow. It is an error when what it predicts is not what it should be.
func (c *comparison) check(p *process, expected []float64) (Agreement, error) {
	var a Agreement
	n := rideCount / checkBatch
	if p.slow {
		n = 1
	}
	responses, err := p.answer(c.events.of(checkBatch), n)
	if err != nil {
		return a, err
	}
	for i, response := range responses {
		if err := a.add(response, i*checkBatch, expected[i*checkBatch:(i+1)*checkBatch]); err != nil {
			return a, fmt.Errorf("checking %s: %w", p.who, err)
		}
	}
	if p.exact && a.Equal != a.Compared || !(a.Largest <= bound) {
		return a, fmt.Errorf("checking %s: %d of %d predictions are not the pipeline's, by up to %g minutes", p.who, a.Compared-a.Equal, a.Compared, a.Largest)
	}
	return a, nil
}

// add compares a response with what is expected. Its records' ids count from
// first.
func (a *Agreement) add(response []byte, first int, expected []float64) error {
	var r struct {
		Predictions []struct {
			Model      string `json:"model"`
			Version    string `json:"version"`
			Prediction struct {
				RideDuration float64 `json:"ride_duration"`
				RideID       int     `json:"ride_id"`
			} `json:"prediction"`
		} `json:"predictions"`
	}
	if err := json.Unmarshal(response, &r); err != nil {
		return fmt.Errorf("reading the response: %w", err)
	}
	if len(r.Predictions) != len(expected) {
		return fmt.Errorf("%d of %d records have a prediction", len(r.Predictions), len(expected))
	}
	for i, p := range r.Predictions {
		if p.Model == "" || p.Version == "" || p.Prediction.RideID != first+i {
			return fmt.Errorf("prediction %d is of model %q, version %q, ride %d", first+i, p.Model, p.Version, p.Prediction.RideID)
		}
		a.Compared++
		if math.Float64bits(p.Prediction.RideDuration) == math.Float64bits(expected[i]) {
			a.Equal++
		}
		a.Largest = math.Max(a.Largest, math.Abs(p.Prediction.RideDuration-expected[i])) // NaN stays
	}
	return nil
}
