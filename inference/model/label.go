package model

import (
	"github.com/skiff-ml/skiff/inference/bundle"
	"github.com/skiff-ml/skiff/inference/jsonscan"
)

// A label is an output of a classifier: a choice among its labels, or a list of
// several, each among its own; and where they are asked for their
// probabilities and the margin.
type label struct {
	choices []choice
	list    bool

	head, probabilities, margin []byte // from what is before up to each; nil where it is not put out
}

func (o *output) newLabels(out *bundle.Output, head string) *label {
	l := &label{head: []byte(head), list: out.Kind == bundle.Labels}
	if out.Probabilities != nil {
		l.probabilities = []byte(`,` + jsonscan.Quote(*out.Probabilities) + `:`)
	}
	if out.Margin != nil {
		l.margin = []byte(`,` + jsonscan.Quote(*out.Margin) + `:`)
	}
	choices := out.Choices()
	for i := range choices {
		l.choices = append(l.choices, o.newChoice(&choices[i]))
	}
	const lists = 3 // with brackets, and a comma for each choice
	o.size += len(l.head) + len(l.probabilities) + len(l.margin) + lists*(len("[]")+len(choices))
	return l
}

// predict implements kind.
func (l *label) predict(p *prediction, y []float64) bool {
	for i := range l.choices {
		c := &l.choices[i]
		if !c.predict(p, y[:c.columns]) {
			return false
		}
		y = y[c.columns:]
	}
	return true
}

// append implements kind.
func (l *label) append(dst []byte, p *prediction) []byte {
	dst = l.appendEach(append(dst, l.head...), p, (*choice).appendLabel)
	if l.probabilities != nil {
		dst = l.appendEach(append(dst, l.probabilities...), p, (*choice).appendProbabilities)
	}
	if l.margin != nil {
		dst = l.appendEach(append(dst, l.margin...), p, (*choice).appendMargin)
	}
	return dst
}

// appendEach appends what every choice has, in a list where they are one.
func (l *label) appendEach(dst []byte, p *prediction, one func(*choice, []byte, *prediction) []byte) []byte {
	if !l.list {
		return one(&l.choices[0], dst, p)
	}
	for i := range l.choices {
		if i == 0 {
			dst = append(dst, '[')
		} else {
			dst = append(dst, ',')
		}
		dst = one(&l.choices[i], dst, p)
	}
	return append(dst, ']')
}
