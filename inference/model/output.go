package model

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"unicode/utf8"

	"skiff/inference"
	"skiff/inference/bundle"
	"skiff/inference/jsonscan"
	"skiff/inference/limits"
)

// An output is the form of a model's predictions, as JSON: what is the same in
// all of them, and between it the values and the id.
type output struct {
	values []value
	id     []byte // from the last value to the id; empty where the output has none
	tail   []byte
	size   int // the most bytes of a prediction, less its id's
}

// A value is one of the predicted values.
type value struct {
	head  []byte // from what is before up to it
	name  string
	width int
}

// longestFloat is how many bytes a float64 has at most, with a comma.
const longestFloat = 26

func newOutput(m *bundle.Manifest) *output {
	o := &output{tail: []byte("}}")}
	head := `{"model":` + quote(m.Model) + `,"version":` + quote(m.RunID) + `,"prediction":{`
	for _, out := range m.Outputs {
		head += quote(out.Name) + `:`
		o.values = append(o.values, value{head: []byte(head), name: out.Name, width: out.Width})
		o.size += len(head) + out.Width*longestFloat + len("[]")
		head = `,`
	}
	if m.ID != nil {
		o.id = []byte(`,` + quote(m.ID.Name) + `:`)
	}
	o.size += len(o.id) + len(o.tail)
	return o
}

// quote returns s as a JSON string.
func quote(s string) string {
	q, err := json.Marshal(s)
	if err != nil {
		panic(err) // no string fails
	}
	return string(q)
}

// append appends a prediction: the values of y, and the id's JSON text. It
// returns the name of the first value that is no number, where there is one.
func (o *output) append(dst []byte, y []float64, id []byte) (_ []byte, notFinite string) {
	for i := range o.values {
		v := &o.values[i]
		dst = append(dst, v.head...)
		if v.width > 1 {
			dst = append(dst, '[')
		}
		for j, f := range y[:v.width] {
			if !finite(f) {
				return dst, v.name
			}
			if j > 0 {
				dst = append(dst, ',')
			}
			dst = jsonscan.AppendFloat(dst, f)
		}
		if v.width > 1 {
			dst = append(dst, ']')
		}
		y = y[v.width:]
	}
	if len(o.id) > 0 {
		dst = append(dst, o.id...)
		dst = append(dst, id...)
	}
	return append(dst, o.tail...), ""
}

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
