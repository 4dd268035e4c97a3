// Package measuring is what the commands that measure have in common: batch
// sizes, how figures are spread and drawn, what a process has, and how progress
// is shown.
package measuring

import "slices"

// A Spread is a figure's distribution over repetitions.
type Spread struct {
	Median float64 `json:"median"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
	N      int     `json:"n"`
}

// SpreadOf returns the distribution of v, which is not empty.
func SpreadOf(v []float64) Spread {
	return Spread{Median: Median(v), Min: slices.Min(v), Max: slices.Max(v), N: len(v)}
}

// Median returns the middle one of v, which is not empty.
func Median(v []float64) float64 { return Quantile(v, 0.5) }

// Quantile returns the value below which the fraction q of v is.
func Quantile(v []float64, q float64) float64 {
	sorted := slices.Sorted(slices.Values(v))
	return sorted[min(int(q*float64(len(sorted))), len(sorted)-1)]
}
