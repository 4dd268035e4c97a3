package model

import (
	"crypto/sha256"
	"encoding/hex"
	"unicode/utf8"

	"github.com/skiff-ml/skiff/inference"
	"github.com/skiff-ml/skiff/inference/bundle"
	"github.com/skiff-ml/skiff/inference/jsonscan"
	"github.com/skiff-ml/skiff/inference/limits"
)

// An output is the form of a model's predictions, as JSON: what is the same in
// all of them, and between it the fields and the id.
type output struct {
	fields []field
	id     []byte // from the last field to the id; empty where the output has none
	tail   []byte
	size   int // the most bytes of a prediction, less its id's

	numbers, labels, work int // how many of each a prediction has

	counted []span // of a prediction's numbers, those that are outputs
}

// A field is one of the manifest's outputs.
type field struct {
	name  string
	width int // of y
	kind
}

// A kind of output has a file of its own, and what it predicts a place of its
// own in a prediction.
type kind interface {
	// predict makes y, of the output's width, its part of a prediction, and
	// reports whether all of that is finite.
	predict(p *prediction, y []float64) bool
	// append appends that part as JSON, from its name on.
	append(dst []byte, p *prediction) []byte
}

// A prediction is what is predicted of one row, the numbers and the labels side
// by side, as a golden has them. It is used again for the next row.
type prediction struct {
	numbers []float64
	labels  []int     // indexes into the outputs' labels
	work    []float64 // room for probabilities that are not put out
}

// longestFloat is how many bytes a float64 has at most, with a comma.
const longestFloat = 26

func newOutput(m *bundle.Manifest) *output {
	o := &output{tail: []byte("}}")}
	head := `{"model":` + jsonscan.Quote(m.Model) + `,"version":` + jsonscan.Quote(m.RunID) + `,"prediction":{`
	for i := range m.Outputs {
		out := &m.Outputs[i]
		f := field{name: out.Name, width: out.Columns()}
		head += jsonscan.Quote(out.Name) + `:`
		if out.Kind == bundle.Number {
			f.kind = o.newNumber(out, head)
		} else {
			f.kind = o.newLabels(out, head)
		}
		o.fields = append(o.fields, f)
		head = `,`
	}
	if m.ID != nil {
		o.id = []byte(`,` + jsonscan.Quote(m.ID.Name) + `:`)
	}
	o.size += len(o.id) + len(o.tail)
	return o
}

// newPrediction returns the memory of one.
func (o *output) newPrediction() prediction {
	return prediction{make([]float64, o.numbers), make([]int, o.labels), make([]float64, o.work)}
}

// predict makes a row of y a prediction. It returns the name of the first
// output that is not finite, where there is one.
func (o *output) predict(p *prediction, y []float64) (notFinite string) {
	for i := range o.fields {
		f := &o.fields[i]
		if !f.predict(p, y[:f.width]) {
			return f.name
		}
		y = y[f.width:]
	}
	return ""
}

// append appends a prediction as JSON, with the id's JSON text.
func (o *output) append(dst []byte, p *prediction, id []byte) []byte {
	for i := range o.fields {
		dst = o.fields[i].append(dst, p)
	}
	if len(o.id) > 0 {
		dst = append(dst, o.id...)
		dst = append(dst, id...)
	}
	return append(dst, o.tail...)
}

// appendList appends one number, or several as a list.
func appendList(dst []byte, numbers []float64) []byte {
	if len(numbers) == 1 {
		return jsonscan.AppendFloat(dst, numbers[0])
	}
	for i, f := range numbers {
		if i == 0 {
			dst = append(dst, '[')
		} else {
			dst = append(dst, ',')
		}
		dst = jsonscan.AppendFloat(dst, f)
	}
	return append(dst, ']')
}

// appendCounted appends those numbers of a prediction that are outputs, and no
// probabilities or margins.
func (o *output) appendCounted(dst []float64, p *prediction) []float64 {
	if len(o.counted) == 1 && len(p.numbers) == 1 { // nearly always
		return append(dst, p.numbers[0])
	}
	for _, s := range o.counted {
		dst = append(dst, s.of(p.numbers)...)
	}
	return dst
}

// finite reports whether f is a number that JSON has.
func finite(f float64) bool { return f-f == 0 } // of what is infinite, that is NaN

// appendKey appends an item's partition key: the id as Python's str() has it,
// or what the item came with where the output has no id. What Kinesis would not
// take is replaced by its hash, which spreads over shards as well.
func appendKey(keys []byte, item *inference.Item, id jsonscan.Value) []byte {
	start := len(keys)
	if id.Kind == jsonscan.Absent {
		keys = append(keys, item.Key...)
	} else {
		var ok bool
		if keys, ok = jsonscan.AppendStr(keys, item.Data, id); !ok {
			keys = append(keys, id.Raw(item.Data)...)
		}
	}
	key := keys[start:]
	if n := utf8.RuneCount(key); n == 0 || n > limits.PartitionKey || !utf8.Valid(key) {
		sum := sha256.Sum256(key)
		keys = hex.AppendEncode(keys[:start], sum[:])
	}
	return keys
}
