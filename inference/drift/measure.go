package drift

import "math"

// The usual limits of PSI: below the first nothing has changed to speak of, above
// the second much has, and the model is to be looked at. N. Siddiqi: Credit Risk
// Scorecards (Wiley 2006), after E. M. Lewis: An Introduction to Credit Scoring
// (1994).
const (
	PSIChanged = 0.1
	PSIDrift   = 0.25
)

// half is what is added to the count of each bin, so that an empty one has a share
// and PSI is finite (H. Jeffreys' prior of a multinomial's shares).
const half = 0.5

// PSI is the population stability index of two counts in the same bins, the sum of
// (p - q)·ln(p/q) over the bins' shares. Bins that are empty in both are left out.
func PSI(was, now []int) float64 {
	psi := 0.0
	each(was, now, func(p, q float64) { psi += (p - q) * math.Log(p/q) })
	return psi
}

// JensenShannon is the Jensen-Shannon divergence of two counts in the same bins,
// in bits: 0 where the shares are the same, 1 where no bin has records of both.
func JensenShannon(was, now []int) float64 {
	js := 0.0
	each(was, now, func(p, q float64) {
		m := (p + q) / 2
		js += (p*math.Log2(p/m) + q*math.Log2(q/m)) / 2
	})
	return max(js, 0)
}

// Noise is what PSI stays below, but for one time in a thousand, where nothing has
// changed: then PSI/(1/n + 1/m) is about chi-squared, with one degree of freedom
// less than there are bins, of which this is the 99.9 % point, by E. B. Wilson's and
// M. M. Hilferty's approximation (PNAS 17, 1931). B. Yurdakul, J. Naranjo:
// Statistical Properties of the Population Stability Index (Journal of Risk Model
// Validation 14(4), 2020).
func Noise(was, now []int) float64 {
	n, m, bins := 0, 0, 0
	for i := range was {
		n, m = n+was[i], m+now[i]
		if was[i]+now[i] > 0 {
			bins++
		}
	}
	if n == 0 || m == 0 {
		return math.Inf(1)
	}
	const z = 3.09 // of the normal distribution
	k := float64(max(bins-1, 1))
	return k * math.Pow(1-2/(9*k)+z*math.Sqrt(2/(9*k)), 3) * (1/float64(n) + 1/float64(m))
}

// each calls f with the shares of each bin that is not empty in both.
func each(was, now []int, f func(p, q float64)) {
	n, m := 0.0, 0.0
	for i := range was {
		if was[i]+now[i] > 0 {
			n, m = n+float64(was[i])+half, m+float64(now[i])+half
		}
	}
	for i := range was {
		if was[i]+now[i] > 0 {
			f((float64(was[i])+half)/n, (float64(now[i])+half)/m)
		}
	}
}
