package taxi_test

import (
	"encoding/json"
	"errors"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/skiff-ml/skiff/cmd/internal/lambdatest"
	"github.com/skiff-ml/skiff/cmd/tools/internal/taxi"
	"github.com/skiff-ml/skiff/inference"
	"github.com/skiff-ml/skiff/inference/bundle"
	"github.com/skiff-ml/skiff/inference/model"
	"github.com/skiff-ml/skiff/inference/ort"
	"github.com/skiff-ml/skiff/inference/source"
)

const (
	rides = 20_000 // that predictions.parquet has predictions for
	batch = 1000
)

// The shipped bundles predict what the original pipelines did, to the last
// bit, for every ride that there is a prediction of.
func TestTheShippedRunsPredictTheRides(t *testing.T) {
	t.Chdir("../../../..")
	runs, err := taxi.ReadRuns("models/taxi/runs.json")
	if err != nil {
		t.Fatal(err)
	}
	if len(runs) < 2 {
		t.Fatalf("%d runs", len(runs))
	}
	records, err := taxi.Records(rides)
	if err != nil {
		t.Fatal(err)
	}
	library := os.Getenv("ONNXRUNTIME_LIB")
	if library == "" {
		library, err = filepath.Abs(".build/lib/libonnxruntime.so")
	}
	if err := errors.Join(err, ort.Initialize(library)); err != nil {
		t.Fatal(err)
	}
	for kind, runID := range runs {
		t.Run(kind, func(t *testing.T) {
			want, err := taxi.ReadPredictions("models/taxi/predictions.parquet", runID, rides)
			if err != nil || len(want) != rides {
				t.Fatalf("%d predictions, %v", len(want), err)
			}
			handler := serve(t, runID)
			different := 0
			for start := 0; start < rides; start += batch {
				for i, got := range predict(t, handler, records[start:start+batch], start) {
					if math.Float64bits(got) != math.Float64bits(want[start+i]) {
						different++
					}
				}
			}
			if different > 0 {
				t.Errorf("%d of %d predictions are not the pipeline's", different, rides)
			}
		})
	}
}

// serve opens a run's bundle as the worker does. Nothing is published.
func serve(t *testing.T, runID string) *source.Kinesis {
	t.Helper()
	b, err := bundle.Open(t.Context(), bundle.Dir(filepath.Join("models", runID)), runID)
	if err != nil {
		t.Fatal(err)
	}
	session, err := ort.Load(b)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := session.Close(); err != nil {
			t.Error(err)
		}
	})
	served, err := model.New(b, session)
	if err != nil {
		t.Fatal(err)
	}
	return source.NewKinesis(inference.NewEngine(served, nil, nil, slog.New(slog.DiscardHandler)))
}

// predict returns minutes, one a record. The first is the ride of that number.
func predict(t *testing.T, handler *source.Kinesis, records [][]byte, first int) []float64 {
	t.Helper()
	event, err := lambdatest.EventOf(records, first)
	if err != nil {
		t.Fatal(err)
	}
	response, err := handler.Invoke(t.Context(), event)
	if err != nil {
		t.Fatal(err)
	}
	var answer struct {
		Predictions []struct {
			Prediction struct {
				Minutes float64 `json:"ride_duration"`
				ID      int     `json:"ride_id"`
			} `json:"prediction"`
		} `json:"predictions"`
	}
	if err := json.Unmarshal(response, &answer); err != nil {
		t.Fatal(err)
	}
	if len(answer.Predictions) != len(records) {
		t.Fatalf("%d of %d records have a prediction: %.300s", len(answer.Predictions), len(records), response)
	}
	minutes := make([]float64, len(records))
	for i, p := range answer.Predictions {
		if p.Prediction.ID != first+i {
			t.Fatalf("prediction %d is of ride %d", first+i, p.Prediction.ID)
		}
		minutes[i] = p.Prediction.Minutes
	}
	return minutes
}
