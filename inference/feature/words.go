package feature

import (
	"math"
	"strings"
	"unicode/utf8"

	"github.com/skiff-ml/skiff/inference/bundle"
	"github.com/skiff-ml/skiff/inference/jsonscan"
)

// The words of a column: their codes, which are 1 + the index in the
// vocabulary. A number or boolean is the word that it is equal to in Python,
// where 7 is 7.0 and true is 1.
type words struct {
	texts    map[string]int32  // nil where there is no text, or hashes stand for it
	hashes   map[uint32]int32  // nil where texts are compared as they are
	numbers  map[float64]int32 // nil where there is no number and no boolean
	integers map[string]int32  // those that no float64 is equal to, by their digits
	null     int32             // 0 where it is no word
	expected string            // what kinds there are, for people
}

func wordsOf(vocabulary []bundle.Scalar, hashed bool) *words {
	w := &words{}
	if hashed {
		w.expected, w.hashes = "text or an integer", make(map[uint32]int32, len(vocabulary))
		for i := range vocabulary {
			w.hashes[bundle.Hash32([]byte(vocabulary[i].Text))] = int32(i + 1)
		}
		return w
	}
	for i := range vocabulary {
		word, code := &vocabulary[i], int32(i+1)
		switch word.Kind {
		case jsonscan.Text:
			if w.texts == nil {
				w.texts = make(map[string]int32, len(vocabulary))
			}
			w.texts[word.Text] = code
		case jsonscan.Null:
			w.null = code
		default:
			if w.numbers == nil {
				w.numbers, w.integers = make(map[float64]int32), make(map[string]int32)
			}
			if f, exact := word.Number(); exact {
				w.numbers[f] = code
			} else {
				w.integers[word.Text] = code
			}
		}
	}
	w.expected = w.kinds()
	return w
}

// text returns the code of a text, 0 where it is no word. One with half a
// surrogate pair, which no UTF-8 has, is none.
func (w *words) text(text []byte) int32 {
	switch {
	case w.hashes == nil:
		return w.texts[string(text)]
	case !utf8.Valid(text):
		return 0
	}
	return w.hashes[bundle.Hash32(text)]
}

// number returns the code of a number or boolean, 0 where it is no word, and
// whether float64 has a number of that size at all.
func (w *words) number(doc []byte, v jsonscan.Value) (code int32, finite bool) {
	f, exact := jsonscan.Number(doc, v)
	if exact {
		return w.numbers[f], !math.IsInf(f, 0)
	}
	return w.integers[string(v.Raw(doc))], !math.IsInf(f, 0)
}

// kinds returns what kinds of words there are.
func (w *words) kinds() string {
	var kinds []string
	if w.texts != nil {
		kinds = append(kinds, "text")
	}
	if w.numbers != nil {
		kinds = append(kinds, "a number")
	}
	if w.null > 0 {
		kinds = append(kinds, "null")
	}
	return strings.Join(kinds, " or ")
}
