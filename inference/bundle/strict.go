package bundle

import (
	"bytes"
	"errors"
	"io"
	"regexp"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

var errNull = errors.New("null stands for nothing here")

// unmarshal reads JSON as it is written: keys are exact, known and not
// repeated, text is UTF-8, and no value is null.
func unmarshal(raw []byte, v any) error {
	return strictly(raw, v, func(jsontext.Pointer) bool { return false })
}

// unmarshalManifest is unmarshal, but null may be a word.
func unmarshalManifest(raw []byte, v any) error {
	return strictly(raw, v, func(at jsontext.Pointer) bool {
		return wordPattern.MatchString(string(at))
	})
}

var wordPattern = regexp.MustCompile(`^/columns/[0-9]+/vocabulary/[0-9]+$`)

func strictly(raw []byte, v any, mayBeNull func(jsontext.Pointer) bool) error {
	if bytes.Contains(raw, []byte("null")) {
		if err := refuseNull(raw, mayBeNull); err != nil {
			return err
		}
	}
	return json.Unmarshal(raw, v, json.RejectUnknownMembers(true))
}

func refuseNull(raw []byte, except func(jsontext.Pointer) bool) error {
	d := jsontext.NewDecoder(bytes.NewReader(raw))
	for {
		token, err := d.ReadToken()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case token.Kind() == 'n' && !except(d.StackPointer()):
			return errNull
		}
	}
}
