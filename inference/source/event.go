package source

import "skiff/inference/jsonscan"

// An eventTree is what the worker reads of an event: of each record its data
// and what to call it by, and a tumbling window's state. Only the data has to be
// there.
type eventTree struct {
	tree                   *jsonscan.Tree
	slots                  int
	records, window, state int // slots of the event

	width                                      int // values of a record
	data, sequence, partitionKey, eID, arrived int // slots of a record
	stream                                     int // likewise; 0 where it is not asked for
}

// newEventTree returns the tree, which has the stream's ARN as well where that
// is asked for.
func newEventTree(stream bool) *eventTree {
	b := jsonscan.NewBuilder()
	t := &eventTree{records: b.Last("Records"), window: b.Last("window"), state: b.Last("state")}
	t.tree, t.slots = b.Tree(), b.Slots()
	record := b.Each("Records")
	t.data = record.Last("kinesis", "data")
	t.sequence = record.Last("kinesis", "sequenceNumber")
	t.partitionKey = record.Last("kinesis", "partitionKey")
	t.arrived = record.Last("kinesis", "approximateArrivalTimestamp")
	t.eID = record.Last("eventID")
	if stream {
		t.stream = record.Last("eventSourceARN")
	}
	t.width = record.Slots()
	return t
}
