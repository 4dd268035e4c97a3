package model

import (
	"github.com/skiff-ml/skiff/inference/bundle"
	"github.com/skiff-ml/skiff/inference/model/link"
)

// A number is an output of one number, or of a list of them.
type number struct {
	head []byte                // from what is before up to it
	each func(float64) float64 // score to number; nil where that is one, or all are reckoned together
	all  func(p, s []float64)  // scores to probabilities; nil likewise
	out  span                  // of a prediction's numbers
}

func (o *output) newNumber(out *bundle.Output, head string) *number {
	n := &number{head: []byte(head), each: numberLink(out.Link), out: o.room(out.Numbers())}
	if n.each == nil {
		n.all = labelLink(out.Link)
	}
	o.size += len(head) + len("[]")
	o.counted = append(o.counted, n.out)
	return n
}

// numberLink returns what becomes of each score, nil for nothing, or where it is
// not by itself.
func numberLink(name string) func(float64) float64 {
	switch name {
	case bundle.Exp:
		return link.Exp
	case bundle.Expm1:
		return link.Expm1
	case bundle.Expits:
		return link.Expit1
	case bundle.Expits32:
		return link.Expit1of32
	case bundle.ExpFast:
		return link.NewFast().Exp
	case bundle.Exp32:
		return func(x float64) float64 { return float64(link.Exp32(float32(x))) }
	}
	return nil
}

// predict implements kind.
func (n *number) predict(p *prediction, y []float64) bool {
	numbers := n.out.of(p.numbers)
	switch {
	case n.all != nil:
		n.all(numbers, y)
	case n.each != nil:
		for i, x := range y {
			numbers[i] = n.each(x)
		}
	default:
		copy(numbers, y)
	}
	return allFinite(numbers)
}

// append implements kind.
func (n *number) append(dst []byte, p *prediction) []byte {
	return appendList(append(dst, n.head...), n.out.of(p.numbers))
}
