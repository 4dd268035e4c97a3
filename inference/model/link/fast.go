package link

import (
	"math"
	"math/big"
)

// Of Fast: x = k·ln2/2048 - t, and exp(x) = 2^(k/2048) · exp(-t).
const (
	fastBits  = 11
	fastSteps = 1 << fastBits

	fastInvLn2N = fastSteps / math.Ln2
	fastShift   = 0x1.8p52 // added to a number, it rounds to the nearest integer

	// exp(-t) = 1 - t + t²·c2(c3 - t).
	fastC2 = 0.16666666685227835064
	fastC3 = 3.0000000027955394

	fastLeast = -708.39641853226408 // exp of it is the least normal float64
	fastMost  = 709.78271289338397

	fastLanes = 4 // numbers that it has at a time; those left over are done alone
)

// Fast is the exp of CatBoost's softmax, on x86-64: fmath's expd, which is off
// by some last bits.
type Fast struct {
	ra    float64
	table [fastSteps]uint64 // the bits of 2^(i/2048), less the exponent's
}

// NewFast returns it with its table.
func NewFast() *Fast {
	const precision = 200 // bits: the powers are rounded once, when all is done
	a := float64(fastInvLn2N)
	f := &Fast{ra: 1 / a}
	step := big.NewFloat(2).SetPrec(precision)
	for range fastBits {
		step.Sqrt(step)
	}
	power := big.NewFloat(1).SetPrec(precision)
	for i := range f.table {
		rounded, _ := power.Float64()
		f.table[i] = math.Float64bits(rounded) & (1<<52 - 1)
		power.Mul(power, step)
	}
	return f
}

// Exp returns e to the power of x, but 0 where that is not a normal float64.
func (f *Fast) Exp(x float64) float64 {
	switch {
	case x <= fastLeast:
		return 0
	case x >= fastMost:
		return math.Inf(1)
	}
	return f.exp(x)
}

// exp is Exp between fastLeast and fastMost. Nothing in it is fused.
func (f *Fast) exp(x float64) float64 {
	d := float64(x*fastInvLn2N) + fastShift
	k := math.Float64bits(d)
	t := float64((d-fastShift)*f.ra) - x
	y := float64(float64((fastC3-t)*float64(t*t))*fastC2) - t + 1
	exponent := (k + 1023<<fastBits) >> fastBits << 52
	return y * math.Float64frombits(exponent|f.table[k%fastSteps])
}

// Softmax fills p with exp(s - the largest), divided by their sum, which is made
// from the first to the last. Of four side by side an exp is no less than the
// least normal float64.
func (f *Fast) Softmax(p, s []float64) {
	largest := s[0]
	for _, x := range s[1:] {
		largest = max(largest, x)
	}
	whole := len(s) - len(s)%fastLanes
	total := 0.0
	for i, x := range s {
		if i < whole {
			p[i] = f.exp(max(x-largest, fastLeast))
		} else {
			p[i] = f.Exp(x - largest)
		}
		total += p[i]
	}
	for i := range p {
		p[i] /= total
	}
}
