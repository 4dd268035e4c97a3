package bundle

import (
	"bytes"
	"errors"
	"io"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

var errNull = errors.New("null stands for nothing here")

// unmarshal reads JSON as it is written: keys are exact, known and not
// repeated, text is UTF-8, and no value is null.
func unmarshal(raw []byte, v any) error {
	if bytes.Contains(raw, []byte("null")) {
		if err := refuseNull(raw); err != nil {
			return err
		}
	}
	return json.Unmarshal(raw, v, json.RejectUnknownMembers(true))
}

func refuseNull(raw []byte) error {
	d := jsontext.NewDecoder(bytes.NewReader(raw))
	for {
		token, err := d.ReadToken()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case token.Kind() == 'n':
			return errNull
		}
	}
}
