package source

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/skiff-ml/skiff/inference/internal/fixture"
)

// FuzzInvoke reads whatever somebody invokes the function with: it answers with
// JSON, or is an error of one line, and what it answers is of this event alone.
func FuzzInvoke(f *testing.F) {
	f.Add(fixture.Event(fixture.Ride("1", "3.66"), fixture.Ride("1", "null"), "x"))
	f.Add(fixture.Event())
	for _, event := range []string{
		`{}`, `[]`, `null`, `"warm"`, `{"Records": null}`, `{"Records": [null, 1, {}, {"kinesis": null}, {"kinesis": {"data": 1}}]}`,
		`{"Records": [{"kinesis": {"data": "e30=", "sequenceNumber": 1, "partitionKey": {}}}], "window": {}, "state": {"a": 1}}`,
		`{"Records": [{"eventSource": "aws:sqs", "body": "{}"}]}`, `{"source": "aws.events", "detail-type": "Scheduled Event"}`,
		`{"Records": [{"kinesis": {"data": "\u0065\u0033\u0030\u003d"}}], "Records": [{"kinesis": {"data": "e30"}}]}`,
	} {
		f.Add([]byte(event))
	}
	k, _ := newSource(nil)
	f.Fuzz(func(t *testing.T, event []byte) {
		raw, err := k.Invoke(t.Context(), event)
		if err != nil {
			if strings.Contains(err.Error(), "\n") || len(err.Error()) > 2000 {
				t.Errorf("%q: %v", event, err)
			}
			return
		}
		var r response
		if err := json.Unmarshal(raw, &r); err != nil {
			t.Fatalf("%q: %v in %s", event, err, raw)
		}
		if most := strings.Count(string(event), "{") + strings.Count(string(event), `\u007`); len(r.Predictions) > most {
			t.Errorf("%q: %d predictions", event, len(r.Predictions))
		}
	})
}
