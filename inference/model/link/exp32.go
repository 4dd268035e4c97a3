package link

import "math"

// Of exp32: x = k·ln2/32 + r·ln2/32, and exp(x) = 2^(k/32) · 2^(r/32).
const (
	exp32Bits  = 5
	exp32Steps = 1 << exp32Bits

	invLn2N32 = 0x1.71547652b82fep0 * exp32Steps // 32/ln2

	// 2^(r/32) = 1 + r·d1 + r²(d2 + r·d3).
	d1 = 0x1.62e42ff0c52d6p-1 / exp32Steps
	d2 = 0x1.ebfce50fac4f3p-3 / exp32Steps / exp32Steps
	d3 = 0x1.c6af84b912394p-5 / exp32Steps / exp32Steps / exp32Steps

	exp32Overflow  = 0x1.62e42ep6  // ln of the largest float32; above it all is infinite
	exp32Underflow = -0x1.9fe368p6 // ln of half the least; below it all is 0
)

// Exp32 returns e to the power of x, in float32: expf.
func Exp32(x float32) float32 {
	if exponent := math.Float32bits(x) >> 20 & 0x7ff; exponent >= 0x42b { // |x| >= 88
		switch {
		case math.IsNaN(float64(x)):
			return x + x
		case x > exp32Overflow:
			return float32(math.Inf(1))
		case x < exp32Underflow:
			return 0
		}
	}
	kd := math.FMA(invLn2N32, float64(x), shift)
	k := math.Float64bits(kd)
	kd -= shift
	r := math.FMA(invLn2N32, float64(x), -kd)
	scale := math.Float64frombits(exp32Table[k%exp32Steps] + k<<(52-exp32Bits))
	y := math.FMA(r*r, math.FMA(d3, r, d2), math.FMA(d1, r, 1))
	return float32(y * scale)
}
