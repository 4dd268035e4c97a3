package source

import "github.com/skiff-ml/skiff/inference/jsonscan"

// A layout is where events of one service have what the worker reads of them:
// of each record its data and what to call it by. Only the data has to be there.
type layout struct {
	source                                      string   // what a record calls it
	list                                        []string // of the records
	data, sequence, key, event, arrived, stream []string // of a record
	text                                        bool     // the data is text, and when it arrived in milliseconds; otherwise base64 and seconds
	inOrder                                     bool     // with a record comes again what is behind it
	byEvent                                     bool     // whoever invokes reads event ids in batchItemFailures, not sequence numbers
}

// kinesisLayout is that of an event source mapping of a stream, as the Lambda
// Developer Guide shows it under "Using Lambda with Kinesis".
func kinesisLayout() layout {
	return layout{
		source: "aws:kinesis", list: []string{"Records"}, data: []string{"kinesis", "data"}, sequence: []string{"kinesis", "sequenceNumber"},
		key: []string{"kinesis", "partitionKey"}, arrived: []string{"kinesis", "approximateArrivalTimestamp"},
		event: []string{"eventID"}, stream: []string{"eventSourceARN"}, inOrder: true,
	}
}

// queueLayout is that of an event source mapping of a queue, as the Guide shows
// it under "Using Lambda with Amazon SQS".
func queueLayout() layout {
	return layout{
		source: "aws:sqs", list: []string{"Records"}, data: []string{"body"}, sequence: []string{"messageId"}, event: []string{"messageId"},
		key: []string{"attributes", "MessageGroupId"}, arrived: []string{"attributes", "SentTimestamp"}, stream: []string{"eventSourceARN"}, text: true,
	}
}

// piped is what EventBridge Pipes makes of a layout: the list alone, as the
// EventBridge User Guide shows it under "Amazon EventBridge Pipes sources". A
// record of a stream has all on one level.
func piped(l layout) layout {
	l.list = nil
	if !l.text {
		l.data, l.sequence, l.key, l.arrived = l.data[1:], l.sequence[1:], l.key[1:], l.arrived[1:]
		l.byEvent = true // "Amazon EventBridge Pipes batching and concurrency"
	}
	return l
}

// An eventTree is a layout to look for in an event, and a tumbling window's
// state.
type eventTree struct {
	layout                 layout
	tree                   *jsonscan.Tree
	slots                  int
	records, window, state int // slots of the event

	width                                      int // values of a record
	data, sequence, partitionKey, eID, arrived int // slots of a record
	stream                                     int // likewise; 0 where it is not asked for
}

// newEventTree returns the tree of a layout, which has the stream's ARN as well
// where that is asked for.
func newEventTree(l layout, stream bool) *eventTree {
	b := jsonscan.NewBuilder()
	t := &eventTree{layout: l, records: b.Last(l.list...), window: b.Last("window"), state: b.Last("state")}
	t.tree, t.slots = b.Tree(), b.Slots()
	record := b.Each(l.list...)
	t.data = record.Last(l.data...)
	t.sequence = record.Last(l.sequence...)
	t.partitionKey = record.Last(l.key...)
	t.arrived = record.Last(l.arrived...)
	t.eID = record.Last(l.event...)
	if stream {
		t.stream = record.Last(l.stream...)
	}
	t.width = record.Slots()
	return t
}
