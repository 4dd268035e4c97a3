package main

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

// ride is a row of rides.parquet.
type ride struct {
	Pickup   int32   `parquet:"pickup,date,optional"` // days since 1970-01-01
	From     int32   `parquet:"PULocationID,optional"`
	To       int32   `parquet:"DOLocationID,optional"`
	Miles    float64 `parquet:"trip_distance,optional"`
	Duration int32   `parquet:"duration,optional"` // seconds
}

// minutes is the ride's real duration.
func (r ride) minutes() float64 { return float64(r.Duration) / 60 }

// event is the ride as a record of the stream. The number parses to the very float64 of the file.
func (r ride) event(id int) ([]byte, error) {
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

// streamFrom is 2019-01-01, the first day that the models were not trained on, in days since 1970-01-01.
const streamFrom = 17_897

// readRides reads the first n rides of 2019, in the order of the file.
func readRides(file string, n int) ([]ride, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("reading rides: %w", err)
	}
	defer func() { _ = f.Close() }()
	reader := parquet.NewGenericReader[ride](f)
	defer func() { _ = reader.Close() }()

	rides := make([]ride, 0, n)
	rows := make([]ride, readRows)
	for len(rides) < n {
		got, err := reader.Read(rows)
		for _, r := range rows[:got] {
			if r.Pickup >= streamFrom && len(rides) < n {
				rides = append(rides, r)
			}
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", shown(file), err)
		}
	}
	if len(rides) < n {
		return nil, withHint(fmt.Errorf("%s has only %d rides of 2019, not %d", shown(file), len(rides), n), "-n %d", len(rides))
	}
	return rides, nil
}
