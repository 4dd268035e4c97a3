package source

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"

	"github.com/skiff-ml/skiff/inference"
	"github.com/skiff-ml/skiff/inference/jsonscan"
	"github.com/skiff-ml/skiff/inference/limits"
)

// An event of more records than a mapping's largest batch has is somebody's
// mistake, or worse: six megabytes of the shortest would take up gigabytes here.
var errTooMany = fmt.Errorf("decoding the event: it has more than %d records", limits.BatchRecords)

var errNoRecords = errors.New("no records")

// decode fills the batch from the event. An event that isn't one is an error; a
// record that isn't one is a rejection of that record.
func (i *invocation) decode(payload []byte, t *eventTree) error {
	var ok bool
	i.elements, ok = jsonscan.FindEach(payload, t.tree, i.found, i.elements[:0], t.width, limits.BatchRecords)
	if len(i.elements) > limits.BatchRecords*t.width {
		return errTooMany
	}
	if !ok || i.found[t.records].Kind != jsonscan.List {
		return errNoRecords
	}
	n := len(i.elements) / t.width
	b := &i.batch
	b.Reset(0)
	b.Records, b.InOrder = n, t.layout.inOrder
	if n > 0 && t.stream > 0 {
		b.Stream = textOf(payload, i.elements[t.stream])
	}
	i.unpacker.Reset()
	i.docs = slices.Grow(i.docs[:0], len(payload)) // all that comes out of it is shorter
	free := i.docs[:cap(i.docs)]
	for r := range n {
		found := i.elements[r*t.width : (r+1)*t.width]
		item := b.Add()
		item.Sequence = textOf(payload, found[t.sequence])
		item.EventID = textOf(payload, found[t.eID])
		item.Key = textOf(payload, found[t.partitionKey])
		if t.layout.text {
			free = decodeMessage(item, payload, found[t.arrived], found[t.data], free)
			if found[t.data].Kind != jsonscan.Text {
				i.reject(&inference.Rejection{Reason: inference.NotJSON, Detail: "the message has no body"})
				continue
			}
			i.takeApart()
			continue
		}
		item.Arrived = found[t.arrived].Raw(payload)
		raw := textOf(payload, found[t.data])
		size, err := base64.StdEncoding.Decode(free, raw)
		if err != nil || found[t.data].Kind != jsonscan.Text {
			if isForeign(payload, found[0], found[t.data]) {
				return errNoRecords
			}
			item.Data = raw
			i.reject(notBase64(found[t.data].Kind, raw, err))
			continue
		}
		item.Data, free = free[:size:size], free[size:]
		i.takeApart()
	}
	return nil
}

// decodeMessage fills an item from a queue's message, which is text, and returns
// what is left of the free memory. A message without a group has a key of its
// own.
func decodeMessage(item *inference.Item, payload []byte, sent, body jsonscan.Value, free []byte) []byte {
	if len(item.Key) == 0 {
		item.Key = item.Sequence
	}
	if ms := textOf(payload, sent); len(ms) > 3 {
		seconds := append(free[:0], ms[:len(ms)-3]...)
		seconds = append(append(seconds, '.'), ms[len(ms)-3:]...)
		item.Arrived, free = slices.Clip(seconds), free[len(seconds):]
	}
	if body.Kind == jsonscan.Text {
		text := jsonscan.AppendText(free[:0], payload, body)
		item.Data, free = slices.Clip(text), free[len(text):]
	}
	return free
}

// isForeign reports whether a record is of another service: it says so, and has
// none of Kinesis's data.
func isForeign(payload []byte, record, data jsonscan.Value) bool {
	if data.Kind != jsonscan.Absent || record.Kind != jsonscan.Object {
		return false
	}
	f := fieldsOf(record.Raw(payload))
	own := f.text("eventSource") + f.text("EventSource")
	return own != "" && own != "aws:kinesis"
}

// notBase64 says what there is instead of a record's bytes. The text is raw.
func notBase64(found jsonscan.Kind, raw []byte, err error) *inference.Rejection {
	r := &inference.Rejection{Reason: inference.NotBase64, Expected: "base64", Found: found.String()}
	if at, ok := errors.AsType[base64.CorruptInputError](err); ok {
		r.Detail = fmt.Sprintf("byte %d of the event's text is not base64", int64(at))
		if int(at) < len(raw) && (raw[at] == '-' || raw[at] == '_') {
			r.Detail += " but base64url"
		}
	}
	return r
}

// textOf returns the text of v, or nothing where v is no text.
func textOf(doc []byte, v jsonscan.Value) []byte {
	switch {
	case v.Kind != jsonscan.Text:
		return nil
	case v.Escaped:
		return jsonscan.AppendText(nil, doc, v)
	}
	return doc[v.Start+1 : v.End-1]
}
