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

func TestBusy(t *testing.T) {
	for loads, want := range map[string]float64{"0.42 7.00 7.00 1/100 5\n": 0, "1.20 0 0": 0, "6.31 5.02 3 2/300 77\n": 6.31, "": 0, "x": 0} {
		if got := measuring.Busy(loads); got != want {
			t.Errorf("%q: %v, want %v", loads, got, want)
		}
	}
}
