package inference

import "strconv"

// An Item is one thing to predict for: a record of a stream, or one of several
// that a record holds. Its bytes belong to the invocation's event.
type Item struct {
	Ref
	Key  []byte // the partition key it came with
	Data []byte // its document; of one that could not be decoded, what there was instead
	ID   []byte // the JSON text of its own id, inside Data; empty until a model has found it
}

// A Ref says where an item came from.
type Ref struct {
	Sequence []byte // its record's sequence number; empty where the event has none
	Sub      int    // its place in a record of several, from 1 on; 0 is a record's only item
	EventID  []byte // shardId:sequenceNumber
	Arrived  []byte // when its record reached the stream, in seconds since 1970 as the event has them
}

// String returns the sequence number, and the place in its record behind a slash.
func (r Ref) String() string {
	if r.Sub == 0 {
		return string(r.Sequence)
	}
	return string(r.Sequence) + "/" + strconv.Itoa(r.Sub)
}

// A Message is something on its way out: a prediction, a dead letter.
type Message struct {
	Key     string // partition key
	HashKey string // where a stream is to put it, a decimal number below 2^128; "": where its key belongs
	Data    []byte
}
