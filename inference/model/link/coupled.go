package link

import "math"

// Of libsvm's coupling, svm.cpp.
const (
	pairLeast   = 1e-7  // the least probability of a pair
	coupledNear = 0.005 // by classes: the error that is near enough
	mostRounds  = 100   // of fewer classes than that

	onStack = 12 // classes whose numbers fit there
)

// Coupled fills p, one a class, with libsvm's probabilities of s, one a pair of
// classes, whose first has 1/(1+exp(s)); these are then coupled.
// Nothing in it is fused.
func Coupled(p, s []float64) {
	k := len(p)
	var room [onStack*onStack + onStack]float64
	numbers := room[:]
	if k > onStack {
		numbers = make([]float64, k*k+k)
	}
	q, qp := numbers[:k*k], numbers[k*k:][:k]
	pairs(q, s, k)
	for t := range p {
		p[t] = 1 / float64(k)
	}
	for range max(mostRounds, k) {
		pqp := 0.0
		for t := range p {
			qp[t] = 0
			for j, x := range p {
				qp[t] += float64(q[t*k+j] * x)
			}
			pqp += float64(p[t] * qp[t])
		}
		worst := 0.0
		for _, x := range qp {
			worst = max(worst, math.Abs(x-pqp))
		}
		if !(worst >= coupledNear/float64(k)) {
			return
		}
		for t := range p {
			of := q[t*k : t*k+k]
			diff := (pqp - qp[t]) / of[t]
			p[t] += diff
			pqp = (pqp + float64(diff*(float64(diff*of[t])+2*qp[t]))) / (1 + diff) / (1 + diff)
			for j := range p {
				qp[j] = (qp[j] + float64(diff*of[j])) / (1 + diff)
				p[j] /= 1 + diff
			}
		}
	}
}

// pairs fills q, k by k, with what couples the pairs.
func pairs(q, s []float64, k int) {
	for i := range k {
		for j := i + 1; j < k; j++ {
			e, above := Exp(-math.Abs(s[0])), 1.0
			if s[0] >= 0 {
				above = e
			}
			r := min(max(above/(1+e), pairLeast), 1-pairLeast)
			q[i*k+j], q[j*k+i] = r, 1-r
			s = s[1:]
		}
	}
	for t := range k {
		q[t*k+t] = 0
		for j := range k {
			if j != t {
				q[t*k+t] += float64(q[j*k+t] * q[j*k+t])
			}
		}
	}
	for i := range k {
		for j := i + 1; j < k; j++ {
			both := float64(-q[i*k+j] * q[j*k+i])
			q[i*k+j], q[j*k+i] = both, both
		}
	}
}
