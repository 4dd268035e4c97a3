package jsonscan

import (
	"bytes"
	"testing"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// FuzzFindAsJSONText holds the parser against a maintained one that takes equal
// keys as well, and half surrogates: what is JSON, and what is at any two keys.
func FuzzFindAsJSONText(f *testing.F) {
	for _, doc := range []string{
		`{"a": {"b": 1}}`, `{"a":{"b":"\u0062\ud83d\ude00"},"a":{"b":[true,null,-1.5e3]}}`, `[{"a":1}]`, ` 1 `, `"a"`, `{"a":{"b":1,"b":{}}}`,
		`{"\u0061":{"b":2}}`, `{"a\ud800":1,"a":{"b":"\udc00"}}`, "{\"a\":\"\xff\"}", `NaN`, `{"a":{"b":00}}`, `{"":{"":[]}}`, "\ufeff1", `{"a":1}{"a":2}`,
	} {
		f.Add([]byte(doc), "a", "b")
	}
	f.Add([]byte(`{"é":{"\u00e9\"":-0}}`), "é", "é\"")
	f.Fuzz(func(t *testing.T, doc []byte, outer, inner string) {
		if len(doc) > maxDepth || !utf8.ValidString(outer) || !utf8.ValidString(inner) {
			return // the depth and the digits that Python takes; a manifest is UTF-8
		}
		got, ok := lookup(string(doc), outer, inner)
		if want := utf8.Valid(doc) && jsontext.Value(doc).IsValid(lenient()...); ok != want {
			t.Fatalf("%q: it is JSON: got %t, want %t", doc, ok, want)
		}
		if !ok {
			return
		}
		value, err := lastOf(doc, outer)
		if err == nil && value != nil {
			value, err = lastOf(value, inner)
		}
		if err != nil || string(value) != got {
			t.Fatalf("%q: at %q and %q: got %q, want %q, %v", doc, outer, inner, got, value, err)
		}
	})
}

func lenient() []jsontext.Options {
	return []jsontext.Options{jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)} // of escapes
}

// lastOf returns the value of an object's last key of that name, nil of none.
func lastOf(doc []byte, name string) (jsontext.Value, error) {
	if jsontext.Value(doc).Kind() != '{' {
		return nil, nil
	}
	d := jsontext.NewDecoder(bytes.NewReader(doc), lenient()...)
	if _, err := d.ReadToken(); err != nil {
		return nil, err
	}
	var found jsontext.Value
	for d.PeekKind() != '}' {
		key, err := d.ReadValue()
		if err != nil {
			return nil, err
		}
		text, mended := jsontext.AppendUnquote(nil, key)
		same := mended == nil && string(text) == name // half a surrogate pair is no name's
		value, err := d.ReadValue()
		if err != nil {
			return nil, err
		}
		if same {
			found = value.Clone()
		}
	}
	return found, nil
}
