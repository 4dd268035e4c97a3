package model

import (
	"skiff/inference/bundle"
	"skiff/inference/jsonscan"
	"skiff/inference/model/link"
)

// A label is an output of a classifier: one of its labels, and where they are
// asked for their probabilities and the scores, the margin.
type label struct {
	head   []byte   // from what is before up to the label
	labels [][]byte // JSON
	at     int      // of a prediction's labels

	link            func(p, s []float64) // scores to probabilities; nil where they are those
	byProbabilities bool                 // the label is the likeliest, not the one of the highest score
	cut             float64              // of a single score

	keys                 [][]byte // of the probabilities, each from what is before it; nil where they are not put out
	from, to             int      // the probabilities, of a prediction's numbers
	margin               []byte   // from what is before up to the scores; nil where they are not put out
	marginFrom, marginTo int
}

func (o *output) newLabel(out *bundle.Output, head string) *label {
	l := &label{head: []byte(head), at: o.labels, link: labelLink(out.Link), byProbabilities: out.Decide == bundle.Probabilities}
	o.labels++
	if out.Cut != nil {
		l.cut = *out.Cut
	}
	longest := 0
	for i := range out.Labels {
		l.labels = append(l.labels, []byte(out.Labels[i].JSON))
		longest = max(longest, len(out.Labels[i].JSON))
	}
	o.size += len(head) + longest
	o.work = max(o.work, len(l.labels))
	if out.Probabilities != nil {
		before := `,` + quote(*out.Probabilities) + `:{`
		for i := range out.Labels {
			key := before + quote(out.Labels[i].Text) + `:`
			l.keys = append(l.keys, []byte(key))
			o.size += len(key) + longestFloat
			before = `,`
		}
		o.size += len("}")
		l.from, l.to = o.numbers, o.numbers+len(l.labels)
		o.numbers = l.to
	}
	if out.Margin != nil {
		l.margin = []byte(`,` + quote(*out.Margin) + `:`)
		l.marginFrom, l.marginTo = o.numbers, o.numbers+out.Width
		o.numbers = l.marginTo
		o.size += len(l.margin) + out.Width*longestFloat + len("[]")
	}
	return l
}

// labelLink returns what makes probabilities of scores, nil where they are
// that already.
func labelLink(name string) func(p, s []float64) {
	switch name {
	case bundle.Expit:
		return link.Expit
	case bundle.Expit32:
		return link.Expit32
	case bundle.Expits:
		return link.Expits
	case bundle.Expits32:
		return link.Expits32
	case bundle.Both:
		return link.Both
	case bundle.Softmax:
		return link.Softmax
	case bundle.SoftmaxInOrder:
		return link.SoftmaxInOrder
	case bundle.Softmax32:
		return link.Softmax32
	case bundle.OVR:
		return link.OVR
	case bundle.Normalize:
		return link.Normalize
	}
	return nil
}

// predict implements kind.
func (l *label) predict(p *prediction, y []float64) bool {
	if !allFinite(y) {
		return false
	}
	probabilities := y
	if l.keys != nil || l.byProbabilities {
		probabilities = p.work[:len(l.labels)]
		if l.link != nil {
			l.link(probabilities, y)
		} else {
			copy(probabilities, y)
		}
		if !allFinite(probabilities) {
			return false
		}
		copy(p.numbers[l.from:l.to], probabilities)
	}
	copy(p.numbers[l.marginFrom:l.marginTo], y)
	switch {
	case l.byProbabilities:
		p.labels[l.at] = largest(probabilities)
	case len(y) > 1:
		p.labels[l.at] = largest(y)
	case y[0] > l.cut:
		p.labels[l.at] = 1
	default:
		p.labels[l.at] = 0
	}
	return true
}

func allFinite(numbers []float64) bool {
	for _, f := range numbers {
		if !finite(f) {
			return false
		}
	}
	return true
}

// largest returns the index of the first of the largest numbers.
func largest(numbers []float64) int {
	first := 0
	for i, f := range numbers {
		if f > numbers[first] {
			first = i
		}
	}
	return first
}

// append implements kind.
func (l *label) append(dst []byte, p *prediction) []byte {
	dst = append(dst, l.head...)
	dst = append(dst, l.labels[p.labels[l.at]]...)
	if l.keys != nil {
		for i, f := range p.numbers[l.from:l.to] {
			dst = append(dst, l.keys[i]...)
			dst = jsonscan.AppendFloat(dst, f)
		}
		dst = append(dst, '}')
	}
	if l.margin != nil {
		dst = appendList(append(dst, l.margin...), p.numbers[l.marginFrom:l.marginTo])
	}
	return dst
}
