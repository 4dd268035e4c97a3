// Package measuring is what the commands that measure have in common: batch
// sizes and events, how figures are spread and drawn, what a process has, and
// how progress is shown.
package measuring

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strconv"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"skiff/cmd/tools/internal/taxi"
	"skiff/inference"
)

// MaxPayload is the largest event, in bytes; Lambda API.
const MaxPayload = 6 << 20

var arrival = time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC) //nolint:gochecknoglobals // a constant

// Event returns the event of these records, as Lambda sends it, field by
// field. The first record is the stream's record of that number.
func Event(records [][]byte, first int) ([]byte, error) {
	const sequence = "49641801370286448471783931287578672283018518126072"
	var e events.KinesisEvent
	for i, data := range records {
		number := fmt.Sprintf("%06d", first+i)
		e.Records = append(e.Records, events.KinesisEventRecord{
			AwsRegion:         "us-east-1",
			EventID:           "shardId-000000000000:" + sequence + number,
			EventName:         "aws:kinesis:record",
			EventSource:       "aws:kinesis",
			EventSourceArn:    "arn:aws:kinesis:us-east-1:000000000000:stream/start-ride-events",
			EventVersion:      "1.0",
			InvokeIdentityArn: "arn:aws:iam::000000000000:role/skiff",
			Kinesis: events.KinesisRecord{
				Data: data,

				ApproximateArrivalTimestamp: events.SecondsEpochTime{Time: arrival},
				KinesisSchemaVersion:        "1.0",
				PartitionKey:                strconv.Itoa(first + i),
				SequenceNumber:              sequence + number,
			},
		})
	}
	event, err := json.Marshal(e)
	if err != nil {
		return nil, fmt.Errorf("making an event: %w", err)
	}
	return event, nil
}

// TaxiRecords returns the first n rides of 2019 as records of the stream.
func TaxiRecords(n int) ([][]byte, error) {
	rides, err := taxi.ReadRides(filepath.Join("models", "taxi", "rides.parquet"), n)
	if err != nil {
		return nil, inference.WithHint(err, "run it in the project's folder")
	}
	records := make([][]byte, len(rides))
	for i, ride := range rides {
		if records[i], err = ride.Record(i); err != nil {
			return nil, err
		}
	}
	return records, nil
}
