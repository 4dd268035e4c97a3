package page

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
)

// What of a document is shown, at most.
const (
	maxFields = 16
	maxField  = 48 // bytes of a name, or of a text
)

// A Field is a value of a document, under the name of its member. A number is as
// the document has it, digit by digit.
type Field struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

// Fields returns the first values of a document, in its order, whatever they are
// nested in; none of what is no JSON object.
func Fields(document []byte) []Field {
	d := json.NewDecoder(bytes.NewReader(document))
	d.UseNumber()
	var all []Field
	name, depth := "", 0
	var keys []bool // of the objects and lists around: a key is next; of a list never
	var list []bool
	for {
		token, err := d.Token()
		if err != nil {
			if errors.Is(err, io.EOF) && depth == 0 {
				return all
			}
			return nil
		}
		if depth == 0 && token != json.Delim('{') {
			return nil
		}
		if len(all) == maxFields {
			return all
		}
		switch t := token.(type) {
		case json.Delim:
			if t == '{' || t == '[' {
				depth++
				keys, list = append(keys, t == '{'), append(list, t == '[')
				continue
			}
			depth--
			keys, list = keys[:depth], list[:depth]
		case string:
			if keys[depth-1] {
				name, keys[depth-1] = t, false
				continue
			}
			all = append(all, field(name, t))
		default:
			all = append(all, field(name, text(token)))
		}
		if depth > 0 && !list[depth-1] {
			keys[depth-1] = true
		}
	}
}

func field(name, text string) Field { return Field{short(name), short(text)} }

func short(text string) string {
	if len(text) > maxField {
		return text[:maxField] + "…"
	}
	return text
}

func text(token json.Token) string {
	switch t := token.(type) {
	case json.Number:
		return t.String()
	case bool:
		if t {
			return "true"
		}
		return "false"
	default:
		return "null"
	}
}
