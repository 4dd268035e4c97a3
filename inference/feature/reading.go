package feature

import (
	"math"

	"github.com/skiff-ml/skiff/inference"
	"github.com/skiff-ml/skiff/inference/bundle"
	"github.com/skiff-ml/skiff/inference/jsonscan"
)

// A reading makes a number of a value: the number that it is, or that is in
// text, or the part of a time.
type reading struct {
	textIsNumber, textIsZero bool
	time                     *timePart // nil: it is no time
	expected                 string    // for people
}

func readingOf(c *bundle.Column) reading {
	r := reading{textIsNumber: c.Text == bundle.InText, textIsZero: c.Text == bundle.Zero, expected: "a number"}
	if r.textIsNumber {
		r.expected = "a number, maybe in text"
	}
	if c.Time != nil {
		r.time = compileTime(c.Time)
		r.expected = r.time.expected()
	}
	return r
}

// An answer is what came of a reading.
type answer uint8

const (
	isNumber   answer = iota
	isNull            // null, or text that Python reads as NaN or NaT
	wrongKind         // of a type that isn't read
	unreadable        // text that is no number or no time, a time beyond pandas'
)

// number returns what v is read as; an infinity for what is beyond float64.
func (r *reading) number(doc []byte, v jsonscan.Value, s *Scratch) (float64, answer) {
	x, is := r.plain(doc, v, s)
	if is == isNumber && r.time != nil && r.time.perSecond > 0 {
		return r.time.ofEpoch(x)
	}
	return x, is
}

func (r *reading) plain(doc []byte, v jsonscan.Value, s *Scratch) (float64, answer) {
	isText := r.time != nil && r.time.perSecond == 0
	switch v.Kind {
	case jsonscan.Null:
		return 0, isNull
	case jsonscan.Text:
		if !isText && !r.textIsNumber {
			break
		}
		s.text = jsonscan.AppendText(s.text[:0], doc, v)
		if isText {
			return r.time.ofText(s.text)
		}
		switch x, ok := jsonscan.ParseFloat(s.text); {
		case !ok:
			return 0, unreadable
		case math.IsNaN(x):
			return 0, isNull
		default:
			return x, isNumber
		}
	case jsonscan.Integer, jsonscan.Float:
		if isText {
			break
		}
		return jsonscan.Nearest(doc, v), isNumber
	case jsonscan.Boolean:
		if r.time == nil {
			return jsonscan.Nearest(doc, v), isNumber
		}
	}
	if v.Kind == jsonscan.Text && r.textIsZero {
		return 0, isNumber
	}
	return 0, wrongKind
}

// reject returns why the value at p is not read, or is null where that is
// refused.
func (r *reading) reject(p *place, is answer, v jsonscan.Value) *inference.Rejection {
	if is != unreadable {
		return wrongType(p.field(), r.expected, v.Kind)
	}
	found := v.Kind.String() + " that is none"
	if r.time != nil {
		found = v.Kind.String() + " that is no such time, or one that pandas has not"
	}
	return &inference.Rejection{Reason: inference.Unreadable, Field: p.field(), Expected: r.expected, Found: found}
}
