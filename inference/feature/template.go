package feature

import (
	"github.com/skiff-ml/skiff/inference"
	"github.com/skiff-ml/skiff/inference/bundle"
	"github.com/skiff-ml/skiff/inference/jsonscan"
)

// A template is a column of words that are built of several values, as Python's
// f-string builds them.
type template struct {
	parts          []part
	missing        standin // where a part is missing
	null           standin // where a part is null and that is no text
	nullIsText     bool
	words          *words
	refusesUnknown bool
}

// A part is a value of the document, or text.
type part struct {
	place *place // nil: text
	text  string
}

func compileTemplate(c *bundle.Column, paths *jsonscan.Builder) *template {
	t := &template{
		missing: standinOf(c, c.Missing), null: standinOf(c, c.Null), nullIsText: c.Null == "",
		words: wordsOf(c.Vocabulary, c.Hash != nil), refusesUnknown: ruleOf(c.Unknown) == reject,
	}
	for _, p := range c.Template {
		if len(p.Path) > 0 {
			t.parts = append(t.parts, part{place: locate(paths, p.Path)})
		} else {
			t.parts = append(t.parts, part{text: p.Text})
		}
	}
	return t
}

// encode implements column: the built word's code.
func (t *template) encode(doc []byte, s *Scratch) (float64, bool, *inference.Rejection) {
	const expected = "text or a number"
	s.text = s.text[:0]
	for i := range t.parts {
		p := &t.parts[i]
		if p.place == nil {
			s.text = append(s.text, p.text...)
			continue
		}
		v, ok := p.place.find(s.found)
		switch {
		case !ok && t.missing.there && p.place.missing(s.found):
			return t.missing.x, t.missing.unknown, nil
		case !ok:
			return 0, false, p.place.reject(s.found, expected)
		case v.Kind != jsonscan.Null || t.nullIsText:
		case t.null.there:
			return t.null.x, t.null.unknown, nil
		default:
			return 0, false, wrongType(p.place.field(), expected, v.Kind)
		}
		if s.text, ok = jsonscan.AppendStr(s.text, doc, v); !ok {
			return 0, false, wrongType(p.place.field(), expected, v.Kind)
		}
	}
	code := t.words.text(s.text)
	if code == 0 && t.refusesUnknown {
		return 0, false, unknownCategory(t.field(), jsonscan.Text.String())
	}
	return float64(code), code == 0, nil
}

// field returns the first of the fields that it is made of.
func (t *template) field() string {
	for i := range t.parts {
		if p := t.parts[i].place; p != nil {
			return p.field()
		}
	}
	return ""
}
