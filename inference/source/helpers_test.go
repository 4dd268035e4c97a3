package source

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"

	"github.com/skiff-ml/skiff/inference"
	"github.com/skiff-ml/skiff/inference/bundle"
	"github.com/skiff-ml/skiff/inference/internal/fixture"
	"github.com/skiff-ml/skiff/inference/limits"
	"github.com/skiff-ml/skiff/inference/model"
)

// target is a sink with Kinesis's limits; none where there is no sink.
func target(s inference.Sink) *inference.Target {
	if s == nil {
		return nil
	}
	return &inference.Target{Sink: s, Limits: inference.Limits{Messages: limits.PutRecords, Bytes: limits.PutBytes, MessageBytes: limits.RecordBytes, Calls: 4}}
}

type response struct {
	Predictions []struct {
		Model      string
		Version    string
		Prediction map[string]json.RawMessage
	}
	BatchItemFailures []struct{ ItemIdentifier string }
}

// failures returns the reported sequence numbers, joined by spaces.
func (r response) failures() string {
	var ids []string
	for _, f := range r.BatchItemFailures {
		ids = append(ids, f.ItemIdentifier)
	}
	return strings.Join(ids, " ")
}

// durations returns the predicted values, joined by spaces.
func (r response) durations() string {
	var values []string
	for _, p := range r.Predictions {
		values = append(values, string(p.Prediction["ride_duration"]))
	}
	return strings.Join(values, " ")
}

// newSource returns a source of the taxi kind whose mapping reads failures, and
// what it logs.
func newSource(output inference.Sink) (*Kinesis, *bytes.Buffer) {
	return newSourceWith(output, nil)
}

// newSourceWith is newSource with a target for dead letters.
func newSourceWith(output, deadLetters inference.Sink) (*Kinesis, *bytes.Buffer) {
	log := &bytes.Buffer{}
	m, err := model.New(&bundle.Bundle{Manifest: *fixture.Manifest()}, fixture.Scorer(fixture.Sum))
	if err != nil {
		panic(err) // without goldens there is nothing to refuse
	}
	k := NewKinesis(inference.NewEngine(m, target(output), target(deadLetters), slog.New(slog.NewJSONHandler(log, nil))))
	k.Reported = true
	return k, log
}

// rescore has the source's model predict by another scorer.
func rescore(t *testing.T, k *Kinesis, scorer model.Scorer) {
	t.Helper()
	m, err := model.New(&bundle.Bundle{Manifest: *fixture.Manifest()}, scorer)
	if err != nil {
		t.Fatal(err)
	}
	k.engine.Use(m)
}

func invoke(t *testing.T, h *Kinesis, payload []byte) response {
	t.Helper()
	raw, err := h.Invoke(context.Background(), payload)
	if err != nil {
		t.Fatal(err)
	}
	var r response
	if err := json.Unmarshal(raw, &r); err != nil {
		t.Fatalf("%v in %s", err, raw)
	}
	return r
}
