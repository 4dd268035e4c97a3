package feature

import (
	"math"
	"strconv"

	"github.com/skiff-ml/skiff/inference"
	"github.com/skiff-ml/skiff/inference/bundle"
	"github.com/skiff-ml/skiff/inference/jsonscan"
)

// A category is a column of words, each a value of the document.
type category struct {
	place         *place
	words         *words
	missing, null standin
	missingIsNull bool     // an absent key is as null is
	reading       *reading // nil: values are words as they are
	other         rule     // of a value of a type that the words haven't
	unknown       rule     // of one of a type that they have
	limit         float64  // of numbers where none is a word: from here on they are rejected; 0 where all are other
}

// A rule is what becomes of a value that is no word.
type rule uint8

const (
	reject rule = iota
	unknown
	none
)

func ruleOf(name string) rule {
	switch name {
	case bundle.Unknown, bundle.Accept:
		return unknown
	case bundle.None:
		return none
	}
	return reject
}

func compileCategory(c *bundle.Column, paths *jsonscan.Builder) *category {
	out := &category{
		place: locate(paths, c.Path), words: wordsOf(c.Vocabulary, c.Hash != nil),
		missing: standinOf(c, c.Missing), missingIsNull: c.Missing == bundle.Null, null: standinOf(c, c.Null),
		other: ruleOf(c.Other), unknown: ruleOf(c.Unknown), limit: orElse(c.Limit, 0),
	}
	if out.words.null > 0 && c.Null == "" {
		out.null = standin{x: float64(out.words.null), there: true}
	}
	if r := readingOf(c); r.textIsNumber || r.time != nil {
		out.reading = &r
	}
	return out
}

// encode implements column: the word's code.
func (c *category) encode(doc []byte, s *Scratch) (float64, bool, *inference.Rejection) {
	v, ok := c.place.find(s.found)
	switch {
	case !ok && c.missingIsNull && c.place.missing(s.found):
		return c.ofNull()
	case !ok && c.missing.there && c.place.missing(s.found):
		return c.missing.x, c.missing.unknown, nil
	case !ok:
		return 0, false, c.place.reject(s.found, c.words.expected)
	case v.Kind == jsonscan.Null:
		return c.ofNull()
	case c.words.hashes != nil:
		return c.hashed(doc, v, s)
	case c.reading != nil && (c.reading.time != nil || v.Kind == jsonscan.Text):
		return c.read(doc, v, s)
	}
	var code int32
	learned := false // whether there are words of its type
	rule := c.other
	switch v.Kind {
	case jsonscan.Text:
		if learned = c.words.texts != nil; learned {
			s.text = jsonscan.AppendText(s.text[:0], doc, v)
			code = c.words.texts[string(s.text)]
		}
	case jsonscan.Integer, jsonscan.Float, jsonscan.Boolean:
		if learned = c.words.numbers != nil; learned {
			var finite bool
			if code, finite = c.words.number(doc, v); !finite {
				return 0, false, notFinite(c.place.field(), math.MaxFloat64)
			}
		} else if c.limit > 0 {
			if math.Abs(jsonscan.Nearest(doc, v)) >= c.limit {
				return 0, false, notFinite(c.place.field(), c.limit)
			}
		}
	default:
		rule = reject
	}
	if learned {
		return c.of(code, v)
	}
	if rule == reject {
		return 0, false, wrongType(c.place.field(), c.words.expected, v.Kind)
	}
	return 0, rule == unknown, nil
}

// hashed is encode where words stand for all texts of their hash. An integer is
// its digits, and true is 1.
func (c *category) hashed(doc []byte, v jsonscan.Value, s *Scratch) (float64, bool, *inference.Rejection) {
	s.text = s.text[:0]
	isNumber := v.Kind == jsonscan.Integer || v.Kind == jsonscan.Float
	if isNumber && c.limit > 0 && math.Abs(jsonscan.Nearest(doc, v)) >= c.limit {
		return 0, false, notFinite(c.place.field(), c.limit)
	}
	switch v.Kind {
	case jsonscan.Text:
		s.text = jsonscan.AppendText(s.text, doc, v)
	case jsonscan.Integer:
		s.text, _ = jsonscan.AppendStr(s.text, doc, v)
	case jsonscan.Boolean:
		s.text = append(s.text, '0')
		if v.Raw(doc)[0] == 't' {
			s.text[0] = '1'
		}
	case jsonscan.Float:
		if c.other != reject {
			return 0, c.other == unknown, nil
		}
		fallthrough
	default:
		return 0, false, wrongType(c.place.field(), c.words.expected, v.Kind)
	}
	return c.of(c.words.text(s.text), v)
}

// read is encode for a value that is read as a number first: a word is that
// number, or the text of it.
func (c *category) read(doc []byte, v jsonscan.Value, s *Scratch) (float64, bool, *inference.Rejection) {
	x, is := c.reading.number(doc, v, s)
	switch {
	case is == isNull:
		return c.ofNull()
	case is != isNumber:
		return 0, false, c.reading.reject(c.place, is, v)
	case math.IsInf(x, 0):
		return 0, false, notFinite(c.place.field(), math.MaxFloat64)
	case c.words.texts != nil:
		s.text = strconv.AppendInt(s.text[:0], int64(x), 10)
		return c.of(c.words.texts[string(s.text)], v)
	}
	return c.of(c.words.numbers[x], v)
}

// of returns what a code is, 0 where v is no word.
func (c *category) of(code int32, v jsonscan.Value) (float64, bool, *inference.Rejection) {
	if code == 0 && c.unknown == reject {
		return 0, false, unknownCategory(c.place.field(), v.Kind.String())
	}
	return float64(code), code == 0, nil
}

func (c *category) ofNull() (float64, bool, *inference.Rejection) {
	if !c.null.there {
		return 0, false, wrongType(c.place.field(), c.words.expected, jsonscan.Null)
	}
	return c.null.x, c.null.unknown, nil
}

func unknownCategory(field, found string) *inference.Rejection {
	return &inference.Rejection{
		Reason: inference.UnknownCategory, Field: field, Expected: "a category that training had", Found: found + " that it had not",
	}
}
