package inference

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

// taxi returns a manifest of the taxi kind with two known pairs.
func taxi() *Manifest {
	return &Manifest{
		Format:     Format,
		RunID:      "run1",
		Model:      "ride_duration_prediction_model",
		ID:         &IDField{Name: "ride_id", Path: []string{"ride_id"}},
		Prediction: Output{Name: "ride_duration", Unit: "minutes"},
		Columns: []Column{
			{
				Name: "PU_DO", Kind: "category", Missing: "reject", Vocabulary: []string{"130_205", "ü_\"None"},
				Template: []Part{{Path: []string{"ride", "PULocationID"}}, {Text: "_"}, {Path: []string{"ride", "DOLocationID"}}},
			},
			{
				Name: "trip_distance", Kind: "number", Path: []string{"ride", "trip_distance"},
				Missing: "reject", Null: "reject", Text: "reject", Limit: 1e38,
			},
		},
	}
}

// scorerFunc is a Scorer made of one function from a row to its prediction.
type scorerFunc func(row []float64) float64

func (f scorerFunc) Score(x, y []float64) error {
	width := len(x) / len(y)
	for i := range y {
		y[i] = f(x[i*width : (i+1)*width])
	}
	return nil
}

// sum predicts 100 for each code, and 1 a mile.
var sum = scorerFunc(func(row []float64) float64 { return 100*row[0] + row[1] })

// ride returns a record from 130 to 205 of that many miles.
func ride(id, miles string) string {
	return fmt.Sprintf(`{"ride": {"PULocationID": 130, "DOLocationID": 205, "trip_distance": %s}, "ride_id": %s}`, miles, id)
}

// event returns an event of these records, their sequence numbers 0, 1, 2….
func event(records ...string) []byte {
	var b bytes.Buffer
	b.WriteString(`{"Records": [`)
	for i, r := range records {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"kinesis": {"data": %q, "sequenceNumber": "%d", "partitionKey": "key%d"}, "eventID": "shardId-0:%d"}`,
			base64.StdEncoding.EncodeToString([]byte(r)), i, i, i)
	}
	b.WriteString(`]}`)
	return b.Bytes()
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

// newHandler returns a handler of the taxi kind, and what it logs.
func newHandler(stream Stream) (*Handler, *bytes.Buffer) {
	log := &bytes.Buffer{}
	h, err := NewHandler(&Bundle{Manifest: *taxi()}, sum, stream, slog.New(slog.NewJSONHandler(log, nil)))
	if err != nil {
		panic(err) // without goldens there is nothing to refuse
	}
	return h, log
}

func invoke(t *testing.T, h *Handler, payload []byte) response {
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
