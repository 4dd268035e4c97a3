package model

import (
	"skiff/inference/bundle"
	"skiff/inference/jsonscan"
	"skiff/inference/model/link"
)

// A number is an output of one number, or of a list of them.
type number struct {
	head     []byte // from what is before up to it
	link     func(float64) float64
	from, to int // of a prediction's numbers
}

func (o *output) newNumber(out *bundle.Output, head string) *number {
	n := &number{head: []byte(head), link: numberLink(out.Link), from: o.numbers, to: o.numbers + out.Width}
	o.numbers = n.to
	o.size += len(head) + out.Width*longestFloat + len("[]")
	return n
}

// numberLink returns what becomes of each score, nil for nothing.
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
	numbers := p.numbers[n.from:n.to]
	ok := true
	for i, x := range y {
		if n.link != nil {
			x = n.link(x)
		}
		numbers[i] = x
		ok = ok && finite(x)
	}
	return ok
}

// append implements kind.
func (n *number) append(dst []byte, p *prediction) []byte {
	dst = append(dst, n.head...)
	if n.to-n.from == 1 {
		return jsonscan.AppendFloat(dst, p.numbers[n.from])
	}
	return appendList(dst, p.numbers[n.from:n.to])
}
