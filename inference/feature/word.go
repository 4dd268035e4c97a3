package feature

import (
	"github.com/skiff-ml/skiff/inference"
	"github.com/skiff-ml/skiff/inference/bundle"
	"github.com/skiff-ml/skiff/inference/jsonscan"
)

// A word is a column that is 1 where the document has it, as text or in a list
// of words: one of those that a DictVectorizer makes of a list.
type word struct {
	place         *place
	text          string
	missing, null bool    // whether the document may have nothing there, or null
	without       float64 // what the column has where the word isn't there
	counts        bool    // how often it is in the list
}

func compileWord(c *bundle.Column, paths *jsonscan.Builder) *word {
	return &word{
		place: locate(paths, c.Path), text: *c.Word, missing: c.Missing == bundle.None, null: c.Null == bundle.None,
		without: standinOf(c, c.Without).x, counts: c.Repeat == bundle.Count,
	}
}

const aListOfWords = "a list of texts"

// encode implements column.
func (w *word) encode(doc []byte, s *Scratch) (float64, bool, *inference.Rejection) {
	v, ok := w.place.find(s.found)
	switch {
	case !ok && w.missing && w.place.missing(s.found):
		return w.without, false, nil
	case !ok:
		return 0, false, w.place.reject(s.found, aListOfWords)
	case v.Kind == jsonscan.Null && w.null:
		return w.without, false, nil
	case v.Kind != jsonscan.Text && v.Kind != jsonscan.List:
		return 0, false, wrongType(w.place.field(), aListOfWords, v.Kind)
	}
	times, ok := timesIn(doc, v, w.text, s)
	switch {
	case !ok:
		return 0, false, wrongType(w.place.field(), aListOfWords, v.Kind)
	case times == 0:
		return w.without, false, nil
	case times > 1 && !w.counts:
		return 0, false, wrongType(w.place.field(), "a list of different texts", v.Kind)
	}
	return float64(times), false, nil
}

// timesIn returns how often a text is v, or in the list v; false for a list
// that has anything but texts.
func timesIn(doc []byte, v jsonscan.Value, text string, s *Scratch) (times int, ok bool) {
	count := func(v jsonscan.Value) {
		if s.text = jsonscan.AppendText(s.text[:0], doc, v); string(s.text) == text {
			times++
		}
	}
	if v.Kind == jsonscan.List {
		ok = jsonscan.Texts(doc, v, count)
		return times, ok
	}
	count(v)
	return times, true
}
