package feature

import (
	"math"

	"skiff/inference"
	"skiff/inference/bundle"
	"skiff/inference/jsonscan"
)

// A category is a column of words, each a value of the document.
type category struct {
	place         *place
	words         *words
	missing       rule // of an absent key
	missingIsNull bool // it is as null is
	null          rule
	other         rule    // of a value of a type that the words haven't
	unknown       rule    // of one of a type that they have
	limit         float64 // of numbers where none is a word: from here on they are rejected; 0 where all are other
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
	limit := 0.0
	if c.Limit != nil {
		limit = *c.Limit
	}
	return &category{
		place: locate(paths, c.Path), words: wordsOf(c.Vocabulary),
		missing: ruleOf(c.Missing), missingIsNull: c.Missing == bundle.Null,
		null: ruleOf(c.Null), other: ruleOf(c.Other), unknown: ruleOf(c.Unknown), limit: limit,
	}
}

// encode implements column: the word's code.
func (c *category) encode(doc []byte, s *Scratch) (float64, bool, *inference.Rejection) {
	v, ok := c.place.find(s.found)
	if !ok {
		switch isMissing := c.place.missing(s.found); {
		case isMissing && c.missingIsNull:
			v.Kind = jsonscan.Null
		case isMissing && c.missing == none:
			return 0, false, nil
		default:
			return 0, false, c.place.reject(s.found, c.words.expected)
		}
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
			if f, _ := jsonscan.Number(doc, v); math.Abs(f) >= c.limit {
				return 0, false, notFinite(c.place.field(), c.limit)
			}
		}
	case jsonscan.Null:
		code, rule = c.words.null, c.null
	default:
		rule = reject
	}
	if learned {
		rule = c.unknown
	}
	switch {
	case code > 0:
		return float64(code), false, nil
	case rule != reject:
		return 0, rule == unknown, nil
	case learned:
		return 0, false, unknownCategory(c.place.field(), v.Kind.String())
	}
	return 0, false, wrongType(c.place.field(), c.words.expected, v.Kind)
}

func unknownCategory(field, found string) *inference.Rejection {
	return &inference.Rejection{
		Reason: inference.UnknownCategory, Field: field, Expected: "a category that training had", Found: found + " that it had not",
	}
}
