package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"

	"github.com/skiff-ml/skiff/cmd/internal/lambdatest"
	"github.com/skiff-ml/skiff/cmd/tools/internal/taxi"
	"github.com/skiff-ml/skiff/inference/hint"
	"github.com/skiff-ml/skiff/inference/limits"
)

// readRecords reads the records of a JSON lines file, or the taxi rides where
// there is no file's name.
func readRecords(file string) ([][]byte, error) {
	if file != "" {
		return readLines(file)
	}
	return taxi.Records(defaultRides)
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
	lines.Buffer(nil, limits.Request)
	for lines.Scan() {
		if line := bytes.TrimSpace(lines.Bytes()); len(line) > 0 {
			records = append(records, bytes.Clone(line))
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("reading records of %s: %w", file, err)
	}
	if len(records) == 0 {
		return nil, hint.With(fmt.Errorf("%s has no records", file), "it has one JSON document a line")
	}
	return records, nil
}

// An event is an invocation's payload of so many records.
type event struct {
	records int
	payload []byte
}

// eventsOf cuts the records into n events of batch records, starting again
// from the first when they run out.
func eventsOf(records [][]byte, batch, n int) ([]event, error) {
	made := make([]event, n)
	for i := range made {
		cut := make([][]byte, batch)
		for j := range cut {
			cut[j] = records[(i*batch+j)%len(records)]
		}
		payload, err := lambdatest.EventOf(cut, i*batch)
		if err != nil {
			return nil, err
		}
		made[i] = event{batch, payload}
	}
	return made, nil
}

// checkPredicted makes sure that what is measured is work: every record of the
// event has a prediction. A response that were too large for Lambda has none,
// and no failures.
func checkPredicted(e event, response []byte) error {
	var r struct {
		Predictions []json.RawMessage `json:"predictions"`
		Failures    []json.RawMessage `json:"batchItemFailures"`
	}
	if err := json.Unmarshal(response, &r); err != nil {
		return fmt.Errorf("reading the response: %w", err)
	}
	tooLarge := len(r.Predictions) == 0 && len(r.Failures) == 0
	if len(r.Predictions) != e.records && !tooLarge {
		return hint.With(fmt.Errorf("%d of %d records have a prediction", len(r.Predictions), e.records),
			"the records are not of the kind that the model takes; try one with `worker -event`")
	}
	return nil
}
