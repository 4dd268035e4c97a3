package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/aws/aws-lambda-go/events"

	"skiff/inference"
	"skiff/models/taxi"
)

// maxPayload is the largest event, in bytes; Lambda API.
const maxPayload = 6 << 20

// readRecords reads the records of a JSON lines file, or the taxi rides where
// there is no file's name.
func readRecords(file string) ([][]byte, error) {
	if file != "" {
		return readLines(file)
	}
	rides, err := taxi.ReadRides(filepath.Join("models", "taxi", "rides.parquet"), defaultRides)
	if err != nil {
		return nil, inference.WithHint(err, "run it in the project's folder, or give -records")
	}
	records := make([][]byte, len(rides))
	for i, ride := range rides {
		if records[i], err = ride.Record(i); err != nil {
			return nil, err
		}
	}
	return records, nil
}

// defaultRides is how many of the rides are used.
const defaultRides = 20_000

// readLines reads the records of a JSON lines file.
func readLines(file string) ([][]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("reading records: %w", err)
	}
	defer f.Close()
	var records [][]byte
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, maxPayload)
	for lines.Scan() {
		if line := bytes.TrimSpace(lines.Bytes()); len(line) > 0 {
			records = append(records, bytes.Clone(line))
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("reading records of %s: %w", file, err)
	}
	if len(records) == 0 {
		return nil, inference.WithHint(fmt.Errorf("%s has no records", file), "it has one JSON document a line")
	}
	return records, nil
}

// An event is an invocation's payload of so many records.
type event struct {
	records int
	payload []byte
}

// eventsOf cuts the records into events of batch records, starting again from
// the first when they run out. They are what Lambda sends, field by field.
func eventsOf(records [][]byte, batch, n int) ([]event, error) {
	const sequence = "49641801370286448471783931287578672283018518126072"
	made := make([]event, n)
	next := 0
	for i := range made {
		var e events.KinesisEvent
		for range batch {
			e.Records = append(e.Records, events.KinesisEventRecord{
				AwsRegion:         "us-east-1",
				EventID:           "shardId-000000000000:" + sequence + fmt.Sprintf("%06d", next),
				EventName:         "aws:kinesis:record",
				EventSource:       "aws:kinesis",
				EventSourceArn:    "arn:aws:kinesis:us-east-1:000000000000:stream/start-ride-events",
				EventVersion:      "1.0",
				InvokeIdentityArn: "arn:aws:iam::000000000000:role/skiff",
				Kinesis: events.KinesisRecord{
					Data:                 records[next%len(records)],
					KinesisSchemaVersion: "1.0",
					PartitionKey:         strconv.Itoa(next),
					SequenceNumber:       sequence + fmt.Sprintf("%06d", next),
				},
			})
			next++
		}
		payload, err := json.Marshal(e)
		if err != nil {
			return nil, fmt.Errorf("making an event: %w", err)
		}
		made[i] = event{batch, payload}
	}
	return made, nil
}

// checkPredicted makes sure that what is measured is work: every record of the
// event has a prediction.
func checkPredicted(e event, response []byte) error {
	var r struct {
		Predictions []json.RawMessage `json:"predictions"`
	}
	if err := json.Unmarshal(response, &r); err != nil {
		return fmt.Errorf("reading the response: %w", err)
	}
	if len(r.Predictions) != e.records && len(response) < maxPayload/2 {
		return inference.WithHint(fmt.Errorf("%d of %d records have a prediction", len(r.Predictions), e.records),
			"the records are not of the kind that the model takes; try one with `worker -event`")
	}
	return nil
}
