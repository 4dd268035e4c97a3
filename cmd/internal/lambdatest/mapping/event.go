package mapping

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/aws/aws-lambda-go/events"
)

// maxPayload is the most bytes of an event: Lambda's invocation payload quota for synchronous calls.
const maxPayload = 6 << 20

// The envelope around the records of an event.
const (
	eventHead = `{"Records":[`
	eventTail = `]}`
)

// entry is a record and its place in an event, written once however often it is delivered.
type entry struct {
	Record
	json []byte
}

func newEntry(c Config, shard string, r Record) (entry, error) {
	j, err := json.Marshal(events.KinesisEventRecord{
		AwsRegion:         region(c.EventSourceARN),
		EventID:           shard + ":" + r.SequenceNumber,
		EventName:         "aws:kinesis:record",
		EventSource:       "aws:kinesis",
		EventSourceArn:    c.EventSourceARN,
		EventVersion:      "1.0",
		InvokeIdentityArn: c.RoleARN,
		Kinesis: events.KinesisRecord{
			ApproximateArrivalTimestamp: events.SecondsEpochTime{Time: r.Arrived},
			Data:                        r.Data,
			PartitionKey:                r.PartitionKey,
			SequenceNumber:              r.SequenceNumber,
			KinesisSchemaVersion:        "1.0",
		},
	})
	if err != nil {
		return entry{}, fmt.Errorf("writing the event of record %s: %w", r.SequenceNumber, err)
	}
	return entry{r, j}, nil
}

// event writes the event Lambda hands to the function.
func event(entries []entry) []byte {
	var b bytes.Buffer
	b.Grow(eventSize(entries))
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

// eventSize is the bytes of the event of entries, or one more when there are none.
func eventSize(entries []entry) int {
	n := len(eventHead) + len(eventTail) - 1
	for _, e := range entries {
		n += len(e.json) + 1
	}
	return n
}

// region is the fourth part of an ARN.
func region(arn string) string {
	if parts := strings.SplitN(arn, ":", 5); len(parts) == 5 {
		return parts[3]
	}
	return ""
}
