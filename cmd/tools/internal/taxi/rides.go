// Package taxi reads the taxi rides and the original pipelines' predictions for them, for the commands that show and measure
// the worker. README.md says where the rides are from, train.py made the predictions.
package taxi

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/parquet-go/parquet-go"
)

// readRows is how many rows of a parquet file are held at a time.
const readRows = 4096

// Ride is a row of rides.parquet.
type Ride struct {
	Pickup   int32   `parquet:"pickup,date,optional"` // days since 1970-01-01
	From     int32   `parquet:"PULocationID,optional"`
	To       int32   `parquet:"DOLocationID,optional"`
	Miles    float64 `parquet:"trip_distance,optional"`
	Duration int32   `parquet:"duration,optional"` // seconds
}

// Minutes is the ride's real duration.
func (r Ride) Minutes() float64 { return float64(r.Duration) / 60 }

// Record is the ride as a record of the stream, JSON. The number parses to the very float64 of the file.
func (r Ride) Record(id int) ([]byte, error) {
	type features struct {
		From  int32   `json:"PULocationID"`
		To    int32   `json:"DOLocationID"`
		Miles float64 `json:"trip_distance"`
	}
	data, err := json.Marshal(struct {
		Ride features `json:"ride"`
		ID   int      `json:"ride_id"`
	}{features{r.From, r.To, r.Miles}, id})
	if err != nil {
		return nil, fmt.Errorf("writing ride %d: %w", id, err)
	}
	return data, nil
}

// StreamFrom is 2019-01-01, the first day that the models were not trained on, in days since 1970-01-01.
const StreamFrom = 17_897

// ReadRides reads the first n rides of 2019, in the order of the file.
func ReadRides(file string, n int) ([]Ride, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("reading rides: %w", err)
	}
	defer func() { _ = f.Close() }()
	reader := parquet.NewGenericReader[Ride](f)
	defer func() { _ = reader.Close() }()

	var rides []Ride
	rows := make([]Ride, readRows)
	for len(rides) < n {
		got, err := reader.Read(rows)
		for _, r := range rows[:got] {
			if r.Pickup >= StreamFrom && len(rides) < n {
				rides = append(rides, r)
			}
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", file, err)
		}
	}
	if len(rides) < n {
		return nil, fmt.Errorf("%s has only %d rides of 2019, not %d", file, len(rides), n)
	}
	return rides, nil
}
