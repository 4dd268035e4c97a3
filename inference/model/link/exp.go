package link

import "math"

// Of exp: x = k·ln2/128 + r, and exp(x) = 2^(k/128) · exp(r).
const (
	expBits  = 7
	expSteps = 1 << expBits

	invLn2N = 0x1.71547652b82fep0 * expSteps // 128/ln2
	ln2HiN  = 0x1.62e42fefa0000p-8           // ln2/128 in two parts; the first has zeros at its end
	ln2LoN  = 0x1.cf79abc9e3b39p-47
	shift   = 0x1.8p52 // added to a number, it rounds to the nearest integer

	// exp(r) - 1 = r + r²(c2 + r·c3) + r⁴(c4 + r·c5).
	c2 = 0x1.ffffffffffdbdp-2
	c3 = 0x1.555555555543cp-3
	c4 = 0x1.55555cf172b91p-5
	c5 = 0x1.1111167a4d017p-7
)

// Exp returns e to the power of x.
func Exp(x float64) float64 {
	const tiny, large = 1023 - 54, 1023 + 9 // exponents of 2⁻⁵⁴ and 512
	exponent := uint32(math.Float64bits(x)>>52) & 0x7ff
	special := false
	if exponent-tiny >= large-tiny {
		switch {
		case exponent < tiny:
			return 1 + x
		case exponent >= 1023+10:
			return expBeyond(x)
		}
		special = true // 2^(k/128) may be beyond float64 though exp(x) is not
	}
	kd := math.FMA(invLn2N, x, shift)
	k := math.Float64bits(kd)
	kd -= shift
	r := math.FMA(kd, -ln2LoN, math.FMA(kd, -ln2HiN, x))
	entry := &expTable[k%expSteps]
	bits := entry.power + k<<(52-expBits)
	r2 := r * r
	tail := math.FMA(r2, math.FMA(r, c3, c2), entry.tail+r)
	tail = math.FMA(r2*r2, math.FMA(r, c5, c4), tail)
	if special {
		return expSpecial(tail, bits, k)
	}
	scale := math.Float64frombits(bits)
	return math.FMA(scale, tail, scale)
}

// expBeyond is Exp from 1024 on, and of NaN.
func expBeyond(x float64) float64 {
	switch {
	case math.IsNaN(x):
		return x + 1
	case x < 0:
		return 0
	}
	return math.Inf(1)
}

// expSpecial is Exp where the exponent of the scale, which bits has, may be
// beyond float64's.
func expSpecial(tail float64, bits, k uint64) float64 {
	if k&(1<<31) == 0 { // k > 0
		scale := math.Float64frombits(bits - 1009<<52)
		return 0x1p1009 * math.FMA(scale, tail, scale)
	}
	scale := math.Float64frombits(bits + 1022<<52)
	more := float64(scale * tail) // not fused, there as here
	y := scale + more
	if y < 1 { // it becomes subnormal: round once, to the digits that are left
		low := scale - y + more
		high := 1 + y
		low += 1 - high + y
		y = (high + low) - 1
	}
	return 0x1p-1022 * y
}
