package model

import (
	"github.com/skiff-ml/skiff/inference/bundle"
	"github.com/skiff-ml/skiff/inference/jsonscan"
	"github.com/skiff-ml/skiff/inference/model/link"
)

// A choice is one label of a row, of those that there are.
type choice struct {
	labels [][]byte // JSON
	at     int      // of a prediction's labels

	columns                  int  // of y: the scores, the values that decide, the margin
	scores, deciding, margin span // of them; they may be the same

	link            func(p, s []float64)   // scores to probabilities; nil where they are those
	byProbabilities bool                   // the label is the likeliest, whatever is deciding
	largest         func(of []float64) int // which of several decides
	cut             float64                // of a single one

	keys       [][]byte // of the probabilities, each from what is before it; nil where they are not put out
	likelihood span     // the probabilities, of a prediction's numbers
	marginOut  span     // the margin, likewise
}

// A span is some of a list's numbers, side by side.
type span struct{ from, to int }

func (s span) of(numbers []float64) []float64 { return numbers[s.from:s.to] }

func (o *output) newChoice(out *bundle.Output) choice {
	c := choice{
		at: o.labels, columns: out.Columns(), scores: span{0, out.Width}, link: labelLink(out.Link),
		byProbabilities: out.Decide == bundle.Probabilities, largest: first,
	}
	o.labels++
	c.deciding, c.margin = c.scores, c.scores
	if out.Values != nil {
		c.deciding = span{out.Width, out.Width + *out.Values}
	}
	if out.Margins != nil {
		c.margin = span{c.columns - *out.Margins, c.columns}
	}
	if out.Cut != nil {
		c.cut = *out.Cut
	}
	if out.Ties == bundle.Last {
		c.largest = last
	}
	longest := 0
	for i := range out.Labels {
		c.labels = append(c.labels, []byte(out.Labels[i].JSON))
		longest = max(longest, len(out.Labels[i].JSON))
	}
	o.size += longest
	o.work = max(o.work, len(c.labels))
	if out.Probabilities != nil {
		before := `{`
		for i := range out.Labels {
			key := before + jsonscan.Quote(out.Labels[i].Text) + `:`
			c.keys = append(c.keys, []byte(key))
			o.size += len(key)
			before = `,`
		}
		o.size += len("}")
		c.likelihood = o.room(len(c.labels))
	}
	if out.Margin != nil {
		c.marginOut = o.room(out.MarginWidth())
		o.size += len("[]")
	}
	return c
}

// room returns a place for so many numbers of a prediction.
func (o *output) room(numbers int) span {
	s := span{o.numbers, o.numbers + numbers}
	o.numbers = s.to
	o.size += numbers * longestFloat
	return s
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
	case bundle.SoftmaxFast:
		return link.NewFast().Softmax
	case bundle.Softmax32:
		return link.Softmax32
	case bundle.OVR:
		return link.OVR
	case bundle.Coupled:
		return link.Coupled
	case bundle.Normalize:
		return link.Normalize
	}
	return nil
}

// predict makes y, of the choice's columns, its part of a prediction, and
// reports whether all of that is finite.
func (c *choice) predict(p *prediction, y []float64) bool {
	if !allFinite(y) {
		return false
	}
	decides := c.deciding.of(y)
	if c.keys != nil || c.byProbabilities {
		scores, probabilities := c.scores.of(y), p.work[:len(c.labels)]
		if c.link != nil {
			c.link(probabilities, scores)
		} else {
			copy(probabilities, scores)
		}
		if !allFinite(probabilities) {
			return false
		}
		copy(c.likelihood.of(p.numbers), probabilities)
		if c.byProbabilities {
			decides = probabilities
		}
	}
	copy(c.marginOut.of(p.numbers), c.margin.of(y))
	switch {
	case len(decides) > 1:
		p.labels[c.at] = c.largest(decides)
	case decides[0] > c.cut:
		p.labels[c.at] = 1
	default:
		p.labels[c.at] = 0
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

// first returns the index of the first of the largest numbers.
func first(numbers []float64) int {
	at := 0
	for i, f := range numbers {
		if f > numbers[at] {
			at = i
		}
	}
	return at
}

// last returns the index of the last of the largest numbers.
func last(numbers []float64) int {
	at := 0
	for i, f := range numbers {
		if f >= numbers[at] {
			at = i
		}
	}
	return at
}

func (c *choice) appendLabel(dst []byte, p *prediction) []byte {
	return append(dst, c.labels[p.labels[c.at]]...)
}

func (c *choice) appendProbabilities(dst []byte, p *prediction) []byte {
	for i, f := range c.likelihood.of(p.numbers) {
		dst = append(dst, c.keys[i]...)
		dst = jsonscan.AppendFloat(dst, f)
	}
	return append(dst, '}')
}

func (c *choice) appendMargin(dst []byte, p *prediction) []byte {
	return appendList(dst, c.marginOut.of(p.numbers))
}
