package inference

import (
	"encoding/json"
)

// A DeadLetter says what can never succeed and why, and has its bytes, so that
// it can be put on the stream again. It is what a dead-letter target gets, as
// JSON.
type DeadLetter struct {
	Reason         Reason          `json:"reason"`
	Detail         string          `json:"detail,omitempty"`
	Field          string          `json:"field,omitempty"`
	Expected       string          `json:"expected,omitempty"`
	Found          string          `json:"found,omitempty"`
	ID             json.RawMessage `json:"id,omitempty"`            // the item's own id, as it came
	PartitionKey   string          `json:"partition_key,omitempty"` // it came with
	SequenceNumber string          `json:"sequence_number,omitempty"`
	Sub            int             `json:"sub,omitempty"` // its place in a record of several, from 1 on
	Shard          string          `json:"shard,omitempty"`
	Arrived        string          `json:"arrived,omitempty"`  // at the stream, RFC 3339 in UTC
	TraceID        string          `json:"trace_id,omitempty"` // of the invocation, where that was traced
	RunID          string          `json:"run_id"`             // of the model that could not take it
	Bytes          int             `json:"bytes"`              // of the item
	Data           []byte          `json:"data"`               // the item's bytes, in base64; null where the target takes no letter so large
}

// Why returns in a line why the item can never succeed: the reason, and behind it
// what is known of field, detail, and what is expected and found.
func (l *DeadLetter) Why() string {
	line := string(l.Reason)
	before := ": "
	add := func(part, after string) {
		if part != "" {
			line += before + part + after
			before = ", "
		}
	}
	add(l.Field, "")
	add(l.Detail, "")
	add(l.Expected, " is expected")
	add(l.Found, " is there")
	return line
}

// deadLetters returns a letter for each rejected item, with the items' indexes.
// A letter that is over the limit goes without the item's bytes: the sequence
// number still finds them in the stream.
func (b *Batch) deadLetters(limit int, trace string) ([]Message, []int) {
	var letters []Message
	var items []int
	for i := range b.Outcomes {
		if b.Outcomes[i].Fate != Rejected {
			continue
		}
		item := &b.Items[i]
		letter := item.deadLetter(b.Run(i), b.Outcomes[i].Rejection)
		letter.TraceID = trace
		message := Message{Key: letterKey(item), Data: letter.marshal()}
		if len(message.Key)+len(message.Data) > limit {
			letter.Data, letter.ID = nil, nil
			message.Data = letter.marshal()
		}
		letters, items = append(letters, message), append(items, i)
	}
	return letters, items
}

func (item *Item) deadLetter(runID string, why *Rejection) *DeadLetter {
	return &DeadLetter{
		Reason: why.Reason, Detail: why.Detail, Field: why.Field, Expected: why.Expected, Found: why.Found,
		ID: item.ID, PartitionKey: string(item.Key), SequenceNumber: string(item.Sequence), Sub: item.Sub,
		Shard: shard(item.EventID), Arrived: instant(item.Arrived), RunID: runID, Bytes: len(item.Data), Data: item.Data,
	}
}

func (l *DeadLetter) marshal() []byte {
	data, err := json.Marshal(l)
	if err != nil {
		panic(err) // the one part that could fail, the id, was read as JSON before
	}
	return data
}

// letterKey is the partition key of an item's letter: the item's own, so that a
// key's letters stay in order, or else where it came from.
func letterKey(item *Item) string {
	if isKey(item.Key) {
		return string(item.Key)
	}
	if len(item.Sequence) > 0 {
		return string(item.Sequence)
	}
	return "none"
}

// shard returns the first part of shardId:sequenceNumber.
func shard(eventID []byte) string {
	for i, c := range eventID {
		if c == ':' {
			return string(eventID[:i])
		}
	}
	return ""
}

// instant returns seconds since 1970 as a time, or "" where they are none.
func instant(seconds []byte) string {
	if at, ok := new(clock).append(nil, seconds); ok {
		return string(at)
	}
	return ""
}
