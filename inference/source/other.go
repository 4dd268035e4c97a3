package source

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/skiff-ml/skiff/inference/hint"
	"github.com/skiff-ml/skiff/inference/jsonscan"
)

// ErrNotKinesis is that an event is none of a Kinesis stream's, nor another that
// the worker takes.
var ErrNotKinesis = errors.New("it is not a Kinesis event")

// other handles an event that is not Kinesis's: a ping, a queue's, what Pipes
// sends, an HTTP request, or documents to predict for. It is an error that says
// what the event is instead.
func (k *Kinesis) other(ctx context.Context, i *invocation, payload []byte) ([]byte, error) {
	if isPing(payload) {
		i.batch.Reset(0)
		return []byte(`{"predictions":[]}`), nil
	}
	if t := k.layoutOf(payload); t != nil {
		if response, err := k.invoke(ctx, i, payload, t); !errors.Is(err, errNoRecords) {
			return response, err
		}
	}
	if r := readRequest(payload); r != nil {
		return k.respond(ctx, i, r)
	}
	name := nameOf(payload)
	if name != "" && name != aList {
		return nil, k.fail(ctx, &i.batch, notKinesis(payload, ""))
	}
	return k.direct(ctx, i, payload)
}

// layoutOf returns the layout of a queue's event, or of one of Pipes, by what
// its first record says of itself; nil of others.
func (k *Kinesis) layoutOf(payload []byte) *eventTree {
	b := jsonscan.NewBuilder()
	records := b.Last("Records")
	found := make([]jsonscan.Value, b.Slots())
	if !jsonscan.Find(payload, b.Tree(), found) {
		return nil
	}
	isPiped := found[0].Kind == jsonscan.List
	list := found[records].Raw(payload)
	if isPiped {
		list = payload
	}
	var first fields
	jsonscan.Elements(list, func(record []byte, _ jsonscan.Kind) bool {
		first = fieldsOf(record)
		return false
	})
	source := first.text("eventSource")
	for _, t := range k.others {
		if (t.layout.list == nil) == isPiped && source != "" && source == t.layout.source {
			return t
		}
	}
	return nil
}

// notKinesis returns the error for an event that has no Kinesis records, by what
// it is instead, and why it is no document either, where it was taken for one.
func notKinesis(payload []byte, rejected string) error {
	what := "it has no list of Records"
	if name := nameOf(payload); name != "" {
		what = "it is " + name
	}
	if rejected != "" {
		what += ", and as a document it is rejected: " + rejected
	}
	return hint.With(fmt.Errorf("decoding the event: %w: %s", ErrNotKinesis, what),
		`an event is {"Records": [{"kinesis": {"data": "<base64>"}}]}, as the mapping of a Kinesis stream sends it; or one document to predict for, or a list`)
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

const aList = "a list, as EventBridge Pipes has it"

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
		return aList
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
