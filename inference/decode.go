package inference

import (
	"encoding/base64"
	"errors"
	"fmt"
)

// eventTree is what the worker reads of an event: of each record its data,
// and what to call it by. Only the data has to be there.
type eventTree struct {
	root                              *pathTree
	slots                             int
	records                           int // slots
	data, sequence, partitionKey, eID int // slots of a record
}

func newEventTree() *eventTree {
	b := newPathBuilder()
	t := &eventTree{root: &b.root}
	t.records = b.add([]string{"Records"})[1]
	record := pathBuilder{root: pathTree{slot: b.slots}, slots: b.slots + 1}
	last := func(path ...string) int {
		slots := record.add(path)
		return slots[len(slots)-1]
	}
	t.data = last("kinesis", "data")
	t.sequence = last("kinesis", "sequenceNumber")
	t.partitionKey = last("kinesis", "partitionKey")
	t.eID = last("eventID")
	b.root.child([]byte("Records")).element = &record.root
	t.slots = record.slots
	return t
}

// A record is one record of an invocation, on its way through the stages.
type record struct {
	doc          []byte // the record's bytes, out of base64
	sequence     []byte // its sequence number; empty where the event has none
	partitionKey []byte
	eventID      []byte // shardId:sequenceNumber
	id           value  // in doc
	row          int    // its row in X, unless it is rejected
	rejection    Rejection
}

// maxRecords is the largest batch of an event source mapping; Lambda API. An
// event with more records in it is somebody's mistake, or worse: six megabytes
// of the shortest would take up gigabytes here.
const maxRecords = 10_000

var errTooMany = fmt.Errorf("decoding the event: it has more than %d records", maxRecords)

var errNotKinesis = WithHint(errors.New("decoding the event: it is not a Kinesis event"),
	`an event is {"Records": [{"kinesis": {"data": "<base64>"}}]}`)

// decode fills b.records from the event. An event that isn't one is an error;
// a record that isn't one is a rejection of that record.
func (b *batch) decode(payload []byte, t *eventTree) error {
	b.records = b.records[:0]
	var ok bool
	b.elements, ok = findEach(payload, t.root, b.eventFound, b.elements[:0], maxRecords)
	if len(b.elements) > maxRecords*t.slots {
		return errTooMany
	}
	if !ok || b.eventFound[t.records].kind != list {
		return errNotKinesis
	}
	b.docs = grow(b.docs, base64.StdEncoding.DecodedLen(len(payload)))
	n := len(b.elements) / t.slots
	b.records = grow(b.records, n)
	free := b.docs
	for i := range n {
		found := b.elements[i*t.slots : (i+1)*t.slots]
		r := &b.records[i]
		*r = record{
			sequence:     textOf(payload, found[t.sequence]),
			partitionKey: textOf(payload, found[t.partitionKey]),
			eventID:      textOf(payload, found[t.eID]),
		}
		size, err := base64.StdEncoding.Decode(free, textOf(payload, found[t.data]))
		if err != nil || found[t.data].kind != text {
			r.rejection = Rejection{Reason: NotBase64}
			continue
		}
		r.doc, free = free[:size:size], free[size:]
	}
	return nil
}

// textOf returns the text of v, or nothing where v is no text.
func textOf(doc []byte, v value) []byte {
	switch {
	case v.kind != text:
		return nil
	case v.escaped:
		return appendText(nil, doc, v)
	}
	return doc[v.start+1 : v.end-1]
}

// grow returns s with length n, in the same memory where that has room.
// What it holds is undefined.
func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}
