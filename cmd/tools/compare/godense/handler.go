package main

import (
	"encoding/json"
	"fmt"
	"strings"
)

const maxRecordsPerPut = 500 // PutRecords API

// A kinesisEvent is what the handler reads of Lambda's event: only the data.
type kinesisEvent struct {
	Records []struct {
		Kinesis struct {
			Data           []byte `json:"data"`
			SequenceNumber string `json:"sequenceNumber"`
		} `json:"kinesis"`
	} `json:"Records"`
}

type rideEvent struct {
	Ride ride            `json:"ride"`
	ID   json.RawMessage `json:"ride_id"` // comes back as it came
}

type ride struct {
	PULocationID int     `json:"PULocationID"`
	DOLocationID int     `json:"DOLocationID"`
	TripDistance float64 `json:"trip_distance"` // miles
}

type predictionEvent struct {
	Model      string     `json:"model"`
	Version    string     `json:"version"`
	Prediction prediction `json:"prediction"`
}

type prediction struct {
	RideDuration float64         `json:"ride_duration"` // minutes
	RideID       json.RawMessage `json:"ride_id"`
}

type response struct {
	Predictions []json.RawMessage `json:"predictions"`
}

// A message is a record of a PutRecords request.
type message struct {
	partitionKey string
	data         []byte
}

// handler scores batches.
type handler struct {
	model *model
	runID string
	sent  int // records taken by the sink
}

// handle implements [candidate.Handler].
func (h *handler) handle(payload []byte) ([]byte, error) {
	var event kinesisEvent
	if err := json.Unmarshal(payload, &event); err != nil {
		return nil, fmt.Errorf("decoding the event: %w", err)
	}
	rides := make([]rideEvent, len(event.Records))
	for i := range event.Records {
		if err := json.Unmarshal(event.Records[i].Kinesis.Data, &rides[i]); err != nil {
			return nil, fmt.Errorf("decoding record %s: %w", event.Records[i].Kinesis.SequenceNumber, err)
		}
	}
	minutes, err := h.model.predict(rides)
	if err != nil {
		return nil, err
	}
	answer := response{make([]json.RawMessage, len(rides))}
	messages := make([]message, len(rides))
	for i := range rides {
		data, err := json.Marshal(predictionEvent{
			Model:      "ride_duration_prediction_model",
			Version:    h.runID,
			Prediction: prediction{RideDuration: float64(minutes[i]), RideID: rides[i].ID},
		})
		if err != nil {
			return nil, fmt.Errorf("encoding a prediction: %w", err)
		}
		answer.Predictions[i] = data
		messages[i] = message{strings.Trim(string(rides[i].ID), `"`), data}
	}
	for start := 0; start < len(messages); start += maxRecordsPerPut {
		h.putRecords(messages[start:min(start+maxRecordsPerPut, len(messages))])
	}
	return json.Marshal(answer)
}

// putRecords is a stream that takes everything at once.
func (h *handler) putRecords(messages []message) { h.sent += len(messages) }
