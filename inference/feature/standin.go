package feature

import (
	"math"

	"github.com/skiff-ml/skiff/inference/bundle"
)

// A standin is what a column has where a record has no value, or null.
type standin struct {
	x       float64
	unknown bool // it counts as a category that training did not have
	there   bool // false: the record is rejected
}

// standinOf returns what a rule of c, on missing or null, puts there.
func standinOf(c *bundle.Column, rule string) standin {
	switch rule {
	case bundle.Zero, bundle.None:
		return standin{there: true}
	case bundle.NaN:
		return standin{x: math.NaN(), there: true}
	case bundle.Unknown:
		return standin{unknown: true, there: true}
	case bundle.Default:
		return standin{x: *c.Default, unknown: c.Kind == bundle.Category && *c.Default == 0, there: true}
	}
	return standin{}
}
