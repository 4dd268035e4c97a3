package link

// The functions that take a class's scores to probabilities write p, one a
// class, and leave the scores s alone. They add up as NumPy does, unless they
// say another order.

// Expit fills p, of two classes, with 1 - p and p of the second's score:
// p = 1/(1+exp(-s)).
func Expit(p, s []float64) {
	p[1] = Expit1(s[0])
	p[0] = 1 - p[1]
}

// Expit1 returns 1/(1+exp(-s)).
func Expit1(s float64) float64 { return 1 / (1 + Exp(-s)) }

// Expits fills p with each score's 1/(1+exp(-s)): they need not add up to 1.
func Expits(p, s []float64) {
	for i, x := range s {
		p[i] = Expit1(x)
	}
}

// Both fills p, of two classes, with 1 - p and p of the second's probability.
func Both(p, s []float64) { p[0], p[1] = 1-s[0], s[0] }

// Softmax fills p with exp(s - the largest), divided by their sum.
func Softmax(p, s []float64) {
	largest := s[0]
	for _, x := range s[1:] {
		largest = max(largest, x)
	}
	for i, x := range s {
		p[i] = Exp(x - largest)
	}
	Normalize(p, p)
}

// SoftmaxInOrder is Softmax, its sum made from the first to the last.
func SoftmaxInOrder(p, s []float64) {
	largest := s[0]
	for _, x := range s[1:] {
		largest = max(largest, x)
	}
	sum := 0.0
	for i, x := range s {
		p[i] = Exp(x - largest)
		sum += p[i]
	}
	for i := range p {
		p[i] /= sum
	}
}

// OVR is one versus the rest: it fills p with each score's 1/(1+exp(-s)), divided by
// their sum.
func OVR(p, s []float64) {
	for i, x := range s {
		p[i] = Expit1(x)
	}
	Normalize(p, p)
}

// Normalize fills p with the scores, divided by their sum.
func Normalize(p, s []float64) {
	total := sum(s)
	for i, x := range s {
		p[i] = x / total
	}
}

// sum adds up as NumPy does what is contiguous in memory: fewer than 8 from left
// to right, up to 128 in eight sums side by side, more in two halves; from
// pairwise_sum of numpy's loops_utils.h.
func sum(s []float64) float64 {
	const lanes, block = 8, 128
	n := len(s)
	switch {
	case n < lanes:
		total := 0.0
		for _, x := range s {
			total += x
		}
		return total
	case n > block:
		half := n / 2
		half -= half % lanes
		return sum(s[:half]) + sum(s[half:])
	}
	r := [lanes]float64(s[:lanes])
	whole := n - n%lanes
	for i := lanes; i < whole; i += lanes {
		for j := range r {
			r[j] += s[i+j]
		}
	}
	total := ((r[0] + r[1]) + (r[2] + r[3])) + ((r[4] + r[5]) + (r[6] + r[7]))
	for _, x := range s[whole:] {
		total += x
	}
	return total
}

// Expit32 is Expit in float32, as XGBoost has it: exp is kept finite.
func Expit32(p, s []float64) {
	p1 := expit32(s[0])
	p[0], p[1] = float64(1-p1), float64(p1)
}

func expit32(s float64) float32 {
	const most = 88.7
	return 1 / (Exp32(min(-float32(s), most)) + 1)
}

// Expit1of32 is Expit1 in float32, as XGBoost has it.
func Expit1of32(s float64) float64 { return float64(expit32(s)) }

// Expits32 is Expits in float32, as XGBoost has it.
func Expits32(p, s []float64) {
	for i, x := range s {
		p[i] = Expit1of32(x)
	}
}

// Softmax32 is Softmax in float32, as XGBoost has it: only the sum is made in
// float64, and then rounded.
func Softmax32(p, s []float64) {
	largest := float32(s[0])
	for _, x := range s[1:] {
		largest = max(largest, float32(x))
	}
	sum := 0.0
	for i, x := range s {
		e := float64(Exp32(float32(x) - largest))
		p[i] = e
		sum += e
	}
	for i := range p {
		p[i] = float64(float32(p[i]) / float32(sum))
	}
}
