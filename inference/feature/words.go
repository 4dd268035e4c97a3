package feature

import (
	"math"
	"strings"

	"github.com/skiff-ml/skiff/inference/bundle"
	"github.com/skiff-ml/skiff/inference/jsonscan"
)

// The words of a column: their codes, which are 1 + the index in the
// vocabulary. A number or boolean is the word that it is equal to in Python,
// where 7 is 7.0 and true is 1.
type words struct {
	texts    map[string]int32  // nil where there is no text
	numbers  map[float64]int32 // nil where there is no number and no boolean
	integers map[string]int32  // those that no float64 is equal to, by their digits
	null     int32             // 0 where it is no word
	expected string            // what kinds there are, for people
}

func wordsOf(vocabulary []bundle.Scalar) *words {
	w := &words{}
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
