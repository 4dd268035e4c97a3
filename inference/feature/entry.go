package feature

import (
	"strings"

	"github.com/skiff-ml/skiff/inference"
	"github.com/skiff-ml/skiff/inference/bundle"
	"github.com/skiff-ml/skiff/inference/jsonscan"
)

// An entry is a column that a DictVectorizer has: the number at a key of its
// own, or 1 where another key has a word, as text or in a list of words.
type entry struct {
	number *number
	words  []entryWord
}

type entryWord struct {
	place *place
	word  string
}

func compileEntry(c *bundle.Column, paths *jsonscan.Builder) *entry {
	e := &entry{number: compileNumber(c, paths)}
	for i := range c.Words {
		e.words = append(e.words, entryWord{locate(paths, c.Words[i].Path), c.Words[i].Text})
	}
	return e
}

const wordsOrNumber = "a number, text or a list of different texts"

// encode implements column.
func (e *entry) encode(doc []byte, s *Scratch) (float64, bool, *inference.Rejection) {
	x, given := e.number.missing.x, false
	own := e.number.place
	v, ok := own.find(s.found)
	switch {
	case !ok && !own.missing(s.found):
		return 0, false, own.reject(s.found, wordsOrNumber)
	case !ok, v.Kind == jsonscan.Text:
	case v.Kind == jsonscan.List && jsonscan.Texts(doc, v, func(jsonscan.Value) {}):
	default:
		var r *inference.Rejection
		if x, _, r = e.number.encode(doc, s); r != nil {
			return 0, false, r
		}
		given = true
	}
	for i := range e.words {
		w := &e.words[i]
		times, ok := w.times(doc, s)
		if !ok || times > 1 || times > 0 && given {
			return 0, false, wrongType(w.place.field(), wordsOrNumber, s.found[w.place.slots[len(w.place.slots)-1]].Kind)
		}
		if times > 0 {
			x, given = 1, true
		}
	}
	return x, false, nil
}

// times returns how often the word is at its place; false where that has what
// is neither words nor a number.
func (w *entryWord) times(doc []byte, s *Scratch) (times int, ok bool) {
	v, ok := w.place.find(s.found)
	switch {
	case !ok:
		return 0, true
	case v.Kind == jsonscan.Text || v.Kind == jsonscan.List:
		return timesIn(doc, v, w.word, s)
	}
	return 0, v.Kind != jsonscan.Object
}

// RefuseEmpty makes p reject a document that has no column's value.
func (p *Plan) RefuseEmpty() { p.refusesEmpty = true }

// isEmpty reports whether a document has no column's value.
func (p *Plan) isEmpty(found []jsonscan.Value) bool {
	for _, slot := range p.ends {
		if found[slot].Kind != jsonscan.Absent {
			return false
		}
	}
	return true
}

// noFeature is why such a document is rejected.
func (p *Plan) noFeature() *inference.Rejection {
	const most = 5
	names := p.names[:min(len(p.names), most)]
	return &inference.Rejection{Reason: inference.MissingField, Expected: "one of " + strings.Join(names, ", ")}
}
