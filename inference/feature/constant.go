package feature

import (
	"github.com/skiff-ml/skiff/inference"
	"github.com/skiff-ml/skiff/inference/bundle"
)

// A constant is a column that has the same number for every document.
type constant float64

func compileConstant(c *bundle.Column) constant { return constant(*c.Value) }

// encode implements column.
func (c constant) encode([]byte, *Scratch) (float64, bool, *inference.Rejection) {
	return float64(c), false, nil
}
