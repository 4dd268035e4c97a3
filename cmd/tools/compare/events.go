package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/skiff-ml/skiff/cmd/internal/lambdatest"
	"github.com/skiff-ml/skiff/cmd/tools/internal/taxi"
)

const (
	rideCount  = 20_000 // rides of 2019, which predictions.json has
	mostEvents = 100    // of a batch size
	checkBatch = 1000
)

// eventFiles are the events that all candidates have, a file for each batch
// size, with an event a line.
type eventFiles struct {
	dir string
}

// of returns the file of events of so many records.
func (e *eventFiles) of(batch int) string {
	return filepath.Join(e.dir, strconv.Itoa(batch)+".jsonl")
}

// payload returns the mean size of such events, in bytes.
func (e *eventFiles) payload(batch int) (int64, error) {
	info, err := os.Stat(e.of(batch))
	if err != nil {
		return 0, fmt.Errorf("measuring events: %w", err)
	}
	return info.Size() / int64(eventCount(batch)), nil
}

// writeEvents makes the files, of rides in their order. Those of checkBatch
// have all rides.
func writeEvents(dir string, batches []int) (*eventFiles, error) {
	records, err := taxi.Records(rideCount)
	if err != nil {
		return nil, err
	}
	e := &eventFiles{dir}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, fmt.Errorf("writing events: %w", err)
	}
	sizes := append([]int{1, slowRecords, checkBatch}, batches...)
	slices.Sort(sizes)
	for _, batch := range slices.Compact(sizes) {
		if err := writeFile(e.of(batch), records, batch); err != nil {
			return nil, fmt.Errorf("writing events: %w", err)
		}
	}
	return e, nil
}

// eventCount is how many events of a batch size there are: no ride twice.
func eventCount(batch int) int { return min(mostEvents, rideCount/batch) }

func writeFile(name string, records [][]byte, batch int) error {
	file, err := os.Create(name)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(file)
	for i := range eventCount(batch) {
		event, err := lambdatest.EventOf(records[i*batch:(i+1)*batch], i*batch)
		if err != nil {
			return errors.Join(err, file.Close())
		}
		_, _ = w.Write(event) // Flush has the error
		_ = w.WriteByte('\n')
	}
	return errors.Join(w.Flush(), file.Close())
}
