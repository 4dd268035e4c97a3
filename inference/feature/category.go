package feature

import (
	"skiff/inference"
	"skiff/inference/bundle"
	"skiff/inference/jsonscan"
)

// codes are the words of a column: 1 + a word's index in the vocabulary. What
// is no word there goes to the model as 0.
type codes map[string]int32

func codesOf(vocabulary []string) codes {
	c := make(codes, len(vocabulary))
	for i, word := range vocabulary {
		c[word] = int32(i + 1)
	}
	return c
}

// lookup returns a word's code, and whether training did not have it.
func (c codes) lookup(word []byte) (float64, bool, *inference.Rejection) {
	code, ok := c[string(word)]
	return float64(code), !ok, nil
}

// A category is a column of words, each a value of the document.
type category struct {
	place          *place
	codes          codes
	missingIsNone  bool
	otherIsUnknown bool // null, a number, a boolean: otherwise another column reads them
}

func compileCategory(c *bundle.Column, paths *jsonscan.Builder) *category {
	return &category{
		place: locate(paths, c.Path), codes: codesOf(c.Vocabulary),
		missingIsNone: c.Missing == bundle.None, otherIsUnknown: c.Other == bundle.Unknown,
	}
}

// encode implements column: the word's code.
func (c *category) encode(doc []byte, s *Scratch) (float64, bool, *inference.Rejection) {
	v, ok := c.place.find(s.found)
	if !ok {
		if c.missingIsNone && c.place.missing(s.found) {
			return 0, false, nil
		}
		return 0, false, c.place.reject(s.found, jsonscan.Text.String())
	}
	switch v.Kind {
	case jsonscan.Text:
		s.text = jsonscan.AppendText(s.text[:0], doc, v)
		return c.codes.lookup(s.text)
	case jsonscan.List, jsonscan.Object:
		return 0, false, wrongType(c.place.field(), jsonscan.Text.String(), v.Kind)
	}
	return 0, c.otherIsUnknown, nil
}
