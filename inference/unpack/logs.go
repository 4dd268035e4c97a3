package unpack

import (
	"bytes"

	"github.com/skiff-ml/skiff/inference"
	"github.com/skiff-ml/skiff/inference/jsonscan"
)

// CloudWatch Logs sends its subscribers, compressed with gzip, what the User
// Guide shows under "Subscription filters with Amazon Kinesis Data Streams":
//
//	{"messageType": "DATA_MESSAGE", "owner": …, "logGroup": …, "logStream": …,
//	 "subscriptionFilters": […], "logEvents": [{"id": …, "timestamp": …, "message": "…"}]}
//
// and, to see that they are there, the same with CONTROL_MESSAGE.
const (
	dataMessage    = "DATA_MESSAGE"
	controlMessage = "CONTROL_MESSAGE"
)

// An envelope is where CloudWatch Logs' is read.
type envelope struct {
	tree                *jsonscan.Tree
	found               []jsonscan.Value
	kind, group, events int
}

func newEnvelope() *envelope {
	b := jsonscan.NewBuilder()
	e := &envelope{kind: b.Last("messageType"), group: b.Last("logGroup"), events: b.Last("logEvents")}
	e.tree, e.found = b.Tree(), make([]jsonscan.Value, b.Slots())
	return e
}

// read returns the type of an envelope, "" of anything else, and the list of its
// events.
func (e *envelope) read(data []byte) (kind string, events []byte) {
	if !bytes.Contains(data, []byte("_MESSAGE")) || !jsonscan.Find(data, e.tree, e.found) {
		return "", nil
	}
	if e.found[e.group].Kind != jsonscan.Text || e.found[e.events].Kind != jsonscan.List || e.found[e.kind].Kind != jsonscan.Text {
		return "", nil
	}
	switch kind := string(jsonscan.AppendText(nil, data, e.found[e.kind])); kind {
	case dataMessage, controlMessage:
		return kind, e.found[e.events].Raw(data)
	}
	return "", nil
}

// isLogs reports whether data is such an envelope.
func isLogs(data []byte) bool {
	kind, _ := newEnvelope().read(data)
	return kind != ""
}

// logs adds the messages of the log events: nothing of an envelope that is only
// a check.
func (u *Unpacker) logs(key, data []byte, depth int, unzipped bool) (bool, *inference.Rejection) {
	kind, events := newEnvelope().read(data)
	if kind == controlMessage {
		return true, nil
	}
	b := jsonscan.NewBuilder()
	message := b.Last("message")
	found := make([]jsonscan.Value, b.Slots())
	texts := make([]byte, 0, len(events)) // it must not move, and text is never longer than it is with escapes
	room := true
	jsonscan.Elements(events, func(event []byte, _ jsonscan.Kind) bool {
		text := event // of one without a message, to be rejected
		if jsonscan.Find(event, b.Tree(), found) && found[message].Kind == jsonscan.Text {
			start := len(texts)
			texts = jsonscan.AppendText(texts, event, found[message])
			text = texts[start:len(texts):len(texts)]
		}
		room = u.add(key, text, depth, unzipped)
		return room
	})
	return room, nil
}
