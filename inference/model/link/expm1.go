package link

import "math"

// Of expm1: x = k·ln2 + r, and exp(x) - 1 = 2^k · (exp(r) - 1) + 2^k - 1.
const (
	ln2Hi  = 0x1.62e42feep-1
	ln2Lo  = 0x1.a39ef35793c76p-33
	invLn2 = 0x1.71547652b82fep0

	q1 = -0x1.11111111110f4p-5
	q2 = 0x1.a01a019fe5585p-10
	q3 = -0x1.4ce199eaadbb7p-14
	q4 = 0x1.0cfca86e65239p-18
	q5 = -0x1.afdb76e09c32dp-23
)

// Expm1 returns e to the power of x, less 1, with every digit there is where x
// is small.
func Expm1(x float64) float64 {
	const most = 0x1.62e42fefa39efp9 // ln of the largest float64
	high := uint32(math.Float64bits(x)>>32) & 0x7fffffff
	switch {
	case math.IsNaN(x) || math.IsInf(x, 1):
		return x + x
	case x > most:
		return math.Inf(1)
	case high >= 0x4043687a && x < 0: // -56·ln2: all digits are the 1's
		return -1
	case high < 0x3c900000: // 2⁻⁵⁴
		return x
	}
	var k int
	var c float64
	if high > 0x3fd62e42 { // ln2/2
		var hi, lo float64
		switch {
		case high >= 0x3ff0a2b2: // 1.5·ln2
			k = int(float64(invLn2*x) + math.Copysign(0.5, x))
			hi, lo = math.FMA(-float64(k), ln2Hi, x), float64(k)*ln2Lo
		case x > 0:
			k, hi, lo = 1, x-ln2Hi, ln2Lo
		default:
			k, hi, lo = -1, x+ln2Hi, -ln2Lo
		}
		x = hi - lo
		c = (hi - x) - lo
	}
	half := 0.5 * x
	s := x * half
	s2 := s * s
	r := math.FMA(s2, math.FMA(q3, s, q2), math.FMA(q1, s, 1))
	r = math.FMA(s2*s2, math.FMA(q5, s, q4), r)
	t := math.FMA(-r, half, 3)
	e := s * ((r - t) / math.FMA(-x, t, 6))
	if k == 0 {
		return x - math.FMA(x, e, -s)
	}
	e = math.FMA(x, e-c, -c) - s
	return expm1Scaled(x, e, k)
}

// expm1Scaled puts exp(r) - 1, which is x - e, back together with 2^k.
func expm1Scaled(x, e float64, k int) float64 {
	switch {
	case k == -1:
		return math.FMA(0.5, x-e, -0.5)
	case k == 1 && x < -0.25:
		return -2 * (e - (x + 0.5))
	case k == 1:
		return math.FMA(2, x-e, 1)
	case k <= -2 || k > 56:
		return math.Ldexp(1-(e-x), k) - 1
	}
	if k < 20 {
		return math.Ldexp((1-math.Ldexp(1, -k))-(e-x), k)
	}
	return math.Ldexp((x-(e+math.Ldexp(1, -k)))+1, k)
}
