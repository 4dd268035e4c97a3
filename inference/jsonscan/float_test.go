package jsonscan

import (
	"math"
	"strconv"
	"strings"
	"testing"
)

// The wanted numbers are what CPython 3.11's float() has; NaN is of what it
// refuses, or is not ASCII.
func TestParseFloatIsPythonsFloat(t *testing.T) {
	none := math.NaN()
	for text, want := range map[string]float64{
		"3.66": 3.66, " \t\n\v\f\r3.66 ": 3.66, "+1": 1, "-0": math.Copysign(0, -1), ".5": 0.5, "5.": 5, "1e5": 1e5, "1E+05": 1e5, "1e-400": 0,
		"1_000.5_0e1_0": 1000.50e10, "1e400": math.Inf(1), "-1e400": math.Inf(-1), "inf": math.Inf(1), "-InFinity": math.Inf(-1),
		"": none, " ": none, ".": none, "e5": none, "1e": none, "1e+": none, "_1": none, "1_": none, "1__0": none, "1_.5": none, "1._5": none, "1_e5": none,
		"1e_5": none, "0x10": none, "0x1p-2": none, "1,5": none, "1 5": none, "--1": none, "+": none, "1f": none, "infi": none,
		"١": none, "\u00a01": none, "\x1c1": none, "1\x00": none, "True": none, "ınf": none,
	} {
		got, ok := ParseFloat([]byte(text))
		if ok == math.IsNaN(want) || ok && math.Float64bits(got) != math.Float64bits(want) {
			t.Errorf("%q: got %v, %t; want %v", text, got, ok, want)
		}
	}
	for _, text := range []string{"nan", "-NaN", "+nAn "} {
		if got, ok := ParseFloat([]byte(text)); !ok || !math.IsNaN(got) {
			t.Errorf("%q: got %v, %t; want NaN", text, got, ok)
		}
	}
}

// FuzzParseFloat holds against strconv's, which takes hexadecimal digits, too.
func FuzzParseFloat(f *testing.F) {
	for _, text := range []string{"3.66", " 1_0e5", "0x1p4", "inf", "nan", "1e400", "-.e"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, ok := ParseFloat([]byte(text))
		want, err := strconv.ParseFloat(strings.ReplaceAll(strings.Trim(text, " \t\n\v\f\r"), "_", ""), 64)
		known := err == nil || math.IsInf(want, 0)
		switch {
		case ok && !known, ok && math.Float64bits(got) != math.Float64bits(want) && !(math.IsNaN(got) && math.IsNaN(want)):
			t.Errorf("%q: got %v, want %v, %v", text, got, want, err)
		case !ok && known && !strings.ContainsAny(text, "xX_"):
			t.Errorf("%q: got nothing, want %v", text, want)
		}
	})
}
