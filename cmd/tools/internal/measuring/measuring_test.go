package measuring_test

import (
	"slices"
	"testing"

	"github.com/skiff-ml/skiff/cmd/tools/internal/measuring"
)

func TestSpread(t *testing.T) {
	if got, want := measuring.SpreadOf([]float64{5, 1, 4, 2, 3}), (measuring.Spread{Median: 3, Min: 1, Max: 5, N: 5}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	v := make([]float64, 100)
	for i := range v {
		v[i] = float64(100 - i)
	}
	if p := measuring.Quantile(v, 0.99); p != 100 {
		t.Errorf("p99 of 1 to 100 is %v", p)
	}
}

func TestReadBatches(t *testing.T) {
	for flag, want := range map[string][]int{
		"1": {1}, "1000, 10,1000,10000": {10, 1000, 10_000}, "": nil, "0": nil, "10001": nil, "1,,2": nil, "1e3": nil,
	} {
		if got, err := measuring.ReadBatches(flag); !slices.Equal(got, want) || (err == nil) != (want != nil) {
			t.Errorf("%q: got %v, %v", flag, got, err)
		}
	}
}
