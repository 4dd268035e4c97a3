package main

import (
	"math"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"compare": main})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata"})
}

func TestAgreement(t *testing.T) {
	const response = `{"predictions": [
		{"model": "m", "version": "r", "prediction": {"ride_duration": 21.0, "ride_id": 7}},
		{"model": "m", "version": "r", "prediction": {"ride_duration": 22.5, "ride_id": 8}}]}`
	for _, tt := range []struct {
		name     string
		expected []float64
		want     Agreement
	}{
		{"equal", []float64{21, 22.5}, Agreement{2, 2, 0}},
		{"one bit off", []float64{21, math.Nextafter(22.5, 23)}, Agreement{2, 1, math.Nextafter(22.5, 23) - 22.5}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var a Agreement
			if err := a.add([]byte(response), 7, tt.expected); err != nil || a != tt.want {
				t.Errorf("%+v, %v; want %+v", a, err, tt.want)
			}
		})
	}
	var a Agreement
	if err := a.add([]byte(response), 7, []float64{math.NaN(), 22.5}); err != nil || a.Largest <= bound {
		t.Errorf("NaN is near a number: %+v, %v", a, err)
	}
	if err := a.add([]byte(response), 6, []float64{21, 22.5}); err == nil {
		t.Error("predictions of other rides are taken")
	}
	if err := a.add([]byte(response), 7, []float64{21, 22.5, 23}); err == nil {
		t.Error("a prediction too few is taken")
	}
}

func TestFigure(t *testing.T) {
	for x, want := range map[float64]string{0.0816: "0.08", 1.234: "1.23", 45.67: "45.7", 123.4: "123", 5450.1: "5,450", 1234567: "1,234,567"} {
		if got := figure(x); got != want {
			t.Errorf("%g is written %s, want %s", x, got, want)
		}
	}
}
