package bundle

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/skiff-ml/skiff/inference/jsonscan"
)

// A Scalar is a JSON text, number, boolean or null: a word of a vocabulary, or
// a label.
type Scalar struct {
	Kind jsonscan.Kind
	JSON string // as the manifest has it
	Text string // as Python's str() has it: of a text itself
}

// Word returns a text as a scalar.
func Word(text string) Scalar {
	quoted, err := json.Marshal(text)
	if err != nil {
		panic(err) // no text fails
	}
	return Scalar{jsonscan.Text, string(quoted), text}
}

var errNoScalar = errors.New("a list or an object is no word and no label")

// UnmarshalJSONFrom reads a scalar.
func (s *Scalar) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	raw, err := d.ReadValue()
	if err != nil {
		return err
	}
	if raw.Kind() == '"' {
		*s, err = textScalar(string(raw))
		return err
	}
	var found [1]jsonscan.Value
	if !jsonscan.Find(raw, jsonscan.NewBuilder().Tree(), found[:]) {
		return fmt.Errorf("%.20s… has too many digits", raw)
	}
	text, ok := jsonscan.AppendStr(nil, raw, found[0])
	if !ok {
		return errNoScalar
	}
	*s = Scalar{found[0].Kind, string(raw), string(text)}
	return nil
}

// textScalar returns the scalar of a JSON text.
func textScalar(quoted string) (Scalar, error) {
	if strings.IndexByte(quoted, '\\') < 0 {
		return Scalar{jsonscan.Text, quoted, quoted[1 : len(quoted)-1]}, nil // in the same memory
	}
	text, err := jsontext.AppendUnquote(nil, quoted)
	return Scalar{jsonscan.Text, quoted, string(text)}, err
}

// MarshalJSONTo writes the scalar as it was read.
func (s *Scalar) MarshalJSONTo(e *jsontext.Encoder) error {
	return e.WriteValue(jsontext.Value(s.JSON))
}

// Number returns the float64 that is equal to a number or boolean, true being
// 1; it is not exact for an integer that no float64 is equal to, and infinite
// for what is beyond them all.
func (s *Scalar) Number() (f float64, exact bool) {
	raw := []byte(s.JSON)
	return jsonscan.Number(raw, jsonscan.Value{Kind: s.Kind, End: int32(len(raw))}) //nolint:gosec // a manifest is not so long
}

// A set of scalars, of which two are one by Python's equality: 7 is 7.0, and 1
// is true, and "7" is none of them.
type set struct {
	texts  map[string]bool
	others map[any]bool
}

func newSet(size int) *set { return &set{make(map[string]bool, size), make(map[any]bool)} }

// add reports whether s was not there.
func (t *set) add(s *Scalar) bool {
	if s.Kind == jsonscan.Text {
		had := t.texts[s.Text]
		t.texts[s.Text] = true
		return !had
	}
	var key any // of null
	if s.Kind != jsonscan.Null {
		key = digits(s.Text)
		if f, exact := s.Number(); exact {
			key = f
		}
	}
	had := t.others[key]
	t.others[key] = true
	return !had
}

// digits are of an integer that no float64 is equal to.
type digits string

// sameLabel reports whether both are one label: of one type, and one text.
func (s *Scalar) sameLabel(o *Scalar) bool {
	return s.Text == o.Text && (s.Kind == jsonscan.Text) == (o.Kind == jsonscan.Text) && (s.Kind == jsonscan.Boolean) == (o.Kind == jsonscan.Boolean)
}
