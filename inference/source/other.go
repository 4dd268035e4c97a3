package source

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"skiff/inference/hint"
)

// ErrNotKinesis is that an event is none of a Kinesis stream's.
var ErrNotKinesis = errors.New("it is not a Kinesis event")

// notKinesis returns the error for an event that has no Kinesis records, by what
// it is instead.
func notKinesis(payload []byte) error {
	what := "it has no list of Records"
	if name := nameOf(payload); name != "" {
		what = "it is " + name
	}
	return hint.With(fmt.Errorf("decoding the event: %w: %s", ErrNotKinesis, what),
		`the function's trigger is an event source mapping of a Kinesis stream; an event is {"Records": [{"kinesis": {"data": "<base64>"}}]}`)
}

// fields are the keys of an event, or of one of its records, and their JSON.
type fields map[string]json.RawMessage

func fieldsOf(doc []byte) fields {
	var f fields
	_ = json.Unmarshal(doc, &f) // what is no object has none
	return f
}

// text returns the text of a field, or "".
func (f fields) text(key string) string {
	var s string
	_ = json.Unmarshal(f[key], &s) // another type is no text
	return s
}

func (f fields) has(key string) bool { return f[key] != nil }

// marks are the keys that only the events of one service have; from the sample
// events of the AWS Lambda Developer Guide.
func marks() []struct{ key, name string } {
	return []struct{ key, name string }{
		{"awslogs", "CloudWatch Logs'"},
		{"deliveryStreamArn", "Amazon Data Firehose's"},
		{"KinesisBatchInfo", "what a mapping's on-failure destination got"},
		{"requestContext", "an HTTP request"},
		{"httpMethod", "an HTTP request"},
		{"detail-type", "EventBridge's"},
	}
}

// nameOf says whose event it is, where that shows.
func nameOf(payload []byte) string {
	event := fieldsOf(payload)
	var records []fields
	if json.Unmarshal(event["Records"], &records) == nil && len(records) > 0 {
		event = records[0]
	}
	for _, key := range []string{"eventSource", "EventSource"} { // SNS has the other
		if name, ok := strings.CutPrefix(event.text(key), "aws:"); ok && name != "kinesis" {
			return "one of " + name
		}
	}
	for _, m := range marks() {
		if event.has(m.key) {
			return m.name
		}
	}
	var list []json.RawMessage
	if json.Unmarshal(payload, &list) == nil && list != nil {
		return "a list, as EventBridge Pipes has it"
	}
	return ""
}

// isPing reports whether an event is there to keep the function warm, or comes
// by the clock: an empty one, EventBridge's scheduled one, and those of the
// plugins serverless-plugin-warmup and lambda-warmer.
func isPing(payload []byte) bool {
	event := fieldsOf(payload)
	switch {
	case event == nil || event.has("Records"):
		return false
	case len(event) == 0,
		event.text("source") == "serverless-plugin-warmup",
		event.text("detail-type") == "Scheduled Event",
		string(event["warmer"]) == "true",
		string(event["warmup"]) == "true":
		return true
	}
	return false
}
