package inference

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"unicode/utf8"
)

const (
	maxKey      = 256     // characters of a partition key; Kinesis API
	maxResponse = 6 << 20 // bytes; Lambda API
)

// An output is what is the same in every prediction of a model, as JSON.
type output struct {
	head  []byte // up to the predicted value
	id    []byte // from there to the id; empty where the output has none
	tail  []byte
	field string // the predicted value's name
}

func newOutput(m *Manifest) *output {
	o := &output{field: m.Prediction.Name, tail: []byte("}}")}
	o.head = append(o.head, `{"model":`+quote(m.Model)+`,"version":`+quote(m.RunID)+`,"prediction":{`+quote(o.field)+`:`...)
	if m.ID != nil {
		o.id = append(o.id, `,`+quote(m.ID.Name)+`:`...)
	}
	return o
}

// quote returns s as a JSON string.
func quote(s string) string {
	q, err := json.Marshal(s)
	if err != nil {
		panic(err) // no string fails
	}
	return string(q)
}

const responseHead = `{"predictions":[`

// respond writes the response up to its failures. The predictions in it are
// also the messages to publish: they share its memory. A prediction that is
// not a number, or too large for a stream, is a rejection of its record.
func (b *batch) respond(o *output) []byte {
	b.messages, b.sent = b.messages[:0], b.sent[:0]
	b.keys, b.keyEnds = b.keys[:0], b.keyEnds[:0]
	response := make([]byte, 0, b.responseSize(o))
	response = append(response, responseHead...)
	for i := range b.records {
		r := &b.records[i]
		if r.rejection.rejected() {
			continue
		}
		y := b.y[r.row]
		if !finite(y) {
			r.rejection = Rejection{NotFinite, o.field}
			continue
		}
		if len(b.sent) > 0 {
			response = append(response, ',')
		}
		start := len(response)
		response = append(response, o.head...)
		response = AppendFloat(response, y)
		if len(o.id) > 0 {
			response = append(response, o.id...)
			response = append(response, r.doc[r.id.start:r.id.end]...)
		}
		response = append(response, o.tail...)
		if len(response)-start > maxMessageBytes-maxKey*utf8.UTFMax {
			r.rejection = Rejection{Reason: TooLarge}
			if response = response[:start]; len(b.sent) > 0 {
				response = response[:start-1]
			}
			continue
		}
		b.sent = append(b.sent, i)
		b.messages = append(b.messages, Message{Data: response[start:len(response):len(response)]})
		b.keys = appendKey(b.keys, r)
		b.keyEnds = append(b.keyEnds, len(b.keys))
	}
	// one string for all the keys, instead of one for each
	keys, start := string(b.keys), 0
	for i, end := range b.keyEnds {
		b.messages[i].Key, start = keys[start:end], end
	}
	return append(response, ']')
}

// responseSize returns more bytes than the response takes, so that it never
// moves while messages point into it.
func (b *batch) responseSize(o *output) int {
	const float, failure = 25, 100 // longest float64, a batch item failure
	size := len(responseHead) + 64
	for i := range b.records {
		r := &b.records[i]
		size += len(o.head) + len(o.id) + len(o.tail) + float + failure + int(r.id.end-r.id.start)
	}
	return size
}

// appendKey appends the record's partition key: the id as Python's str() has
// it, or what the record came with where the output has no id. What Kinesis
// would not take is replaced by its hash, which spreads over shards as well.
func appendKey(keys []byte, r *record) []byte {
	start := len(keys)
	if r.id.kind == absent {
		keys = append(keys, r.partitionKey...)
	} else {
		var ok bool
		if keys, ok = appendStr(keys, r.doc, r.id); !ok {
			keys = append(keys, r.doc[r.id.start:r.id.end]...)
		}
	}
	key := keys[start:]
	if n := utf8.RuneCount(key); n == 0 || n > maxKey || !utf8.Valid(key) {
		sum := sha256.Sum256(key)
		keys = hex.AppendEncode(keys[:start], sum[:])
	}
	return keys
}

// finish closes the response with the records that are not dealt with. A
// record without a sequence number is reported by an empty one, which Lambda
// takes as the failure of the whole batch: rather again than lost.
func finish(response []byte, failed []*record) []byte {
	end := []byte("}")
	if len(failed) > 0 {
		end = []byte(`,"batchItemFailures":[`)
		for i, r := range failed {
			if i > 0 {
				end = append(end, ',')
			}
			end = append(end, `{"itemIdentifier":`+quote(string(r.sequence))+`}`...)
		}
		end = append(end, "]}"...)
	}
	if len(response)+len(end) > maxResponse {
		// the mapping reads only the failures
		response = []byte(responseHead + "]")
	}
	return append(response, end...)
}
