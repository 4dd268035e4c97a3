package lambdatest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"
)

// The envelope around the records of an event.
const (
	eventHead = `{"Records":[`
	eventTail = `]}`
)

// Record is a record of a stream.
type Record struct {
	SequenceNumber string
	PartitionKey   string
	Data           []byte
	Arrived        time.Time // approximately, by the stream's clock
}

// Entry is a record and its place in an event, written once however often it is delivered.
type Entry struct {
	Record
	json []byte
}

// Origin is what all events of a mapping say of it.
type Origin struct {
	StreamARN string
	RoleARN   string // what events call invokeIdentityArn
}

// Entry writes a record of a shard as Lambda does, field by field.
func (o Origin) Entry(shard string, r Record) (Entry, error) {
	j, err := json.Marshal(events.KinesisEventRecord{
		AwsRegion:         region(o.StreamARN),
		EventID:           shard + ":" + r.SequenceNumber,
		EventName:         "aws:kinesis:record",
		EventSource:       "aws:kinesis",
		EventSourceArn:    o.StreamARN,
		EventVersion:      "1.0",
		InvokeIdentityArn: o.RoleARN,
		Kinesis: events.KinesisRecord{
			ApproximateArrivalTimestamp: events.SecondsEpochTime{Time: r.Arrived},
			Data:                        r.Data,
			PartitionKey:                r.PartitionKey,
			SequenceNumber:              r.SequenceNumber,
			KinesisSchemaVersion:        "1.0",
		},
	})
	if err != nil {
		return Entry{}, fmt.Errorf("writing the event of record %s: %w", r.SequenceNumber, err)
	}
	return Entry{r, j}, nil
}

// Event writes the event Lambda hands to the function.
func Event(entries []Entry) []byte {
	var b bytes.Buffer
	b.Grow(EventSize(entries))
	b.WriteString(eventHead)
	for i, e := range entries {
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(e.json)
	}
	b.WriteString(eventTail)
	return b.Bytes()
}

// EventSize is the bytes of the event of entries, or one more when there are none.
func EventSize(entries []Entry) int {
	n := len(eventHead) + len(eventTail) - 1
	for _, e := range entries {
		n += e.Size()
	}
	return n
}

// Size is the bytes that the entry adds to an event.
func (e Entry) Size() int { return len(e.json) + 1 }

// EventOf returns an event of records with this data, for those who have no stream. Partition keys and sequence numbers count from first on.
func EventOf(data [][]byte, first int) ([]byte, error) {
	const sequence = "49641801370286448471783931287578672283018518126072"
	origin := Origin{
		StreamARN: "arn:aws:kinesis:us-east-1:000000000000:stream/start-ride-events",
		RoleARN:   "arn:aws:iam::000000000000:role/skiff",
	}
	arrived := time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC)
	entries := make([]Entry, len(data))
	for i, d := range data {
		r := Record{SequenceNumber: sequence + fmt.Sprintf("%06d", first+i), PartitionKey: strconv.Itoa(first + i), Data: d, Arrived: arrived}
		var err error
		if entries[i], err = origin.Entry("shardId-000000000000", r); err != nil {
			return nil, err
		}
	}
	return Event(entries), nil
}

// region is the fourth part of an ARN.
func region(arn string) string {
	if parts := strings.SplitN(arn, ":", 5); len(parts) == 5 {
		return parts[3]
	}
	return ""
}
