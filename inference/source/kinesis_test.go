package source

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"

	"github.com/skiff-ml/skiff/inference"
	"github.com/skiff-ml/skiff/inference/bundle"
	"github.com/skiff-ml/skiff/inference/hint"
	"github.com/skiff-ml/skiff/inference/internal/fixture"
	"github.com/skiff-ml/skiff/inference/limits"
	"github.com/skiff-ml/skiff/inference/model"
)

func TestInvokeAnswersWithTheContract(t *testing.T) {
	h, _ := newSource(nil)
	got, err := h.Invoke(context.Background(), fixture.Event(fixture.Ride("156", "3.66")))
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"predictions":[{"model":"ride_duration_prediction_model","version":"run1","prediction":{"ride_duration":103.66,"ride_id":156}}]}`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestInvokeReadsOnlyTheData(t *testing.T) {
	h, _ := newSource(nil)
	// eyJ... is {"ride": ..., "ride_id": 7}, its slash escaped as some encoders do
	r := invoke(t, h, []byte(`{"Records":[{"kinesis":{"data":"eyJyaWRlIjogeyJQVUxvY2F0aW9uSUQiOiAxMzAsICJET0xvY2F0aW9uSUQiOiAiPz8\/IiwgInRyaXBfZGlzdGFuY2UiOiAxfSwgInJpZGVfaWQiOiA3fQ=="}}]}`))
	if r.durations() != "1.0" || r.failures() != "" {
		t.Errorf("got %+v", r)
	}
}

func TestInvokeReturnsIDsAsTheyCame(t *testing.T) {
	ids := []string{`156`, `9007199254740993123`, `-0`, `1.50`, `1E2`, `"a\u0062 ü"`, `null`, `true`, `[1, {"a": 2}]`, `{"b":[]}`, `""`}
	var records []string
	for _, id := range ids {
		records = append(records, fixture.Ride(id, "1"))
	}
	h, _ := newSource(nil)
	r := invoke(t, h, fixture.Event(records...))
	for i, id := range ids {
		if got := string(r.Predictions[i].Prediction["ride_id"]); got != id {
			t.Errorf("got %s, want %s", got, id)
		}
	}
}

// A float is a float: 21.0, never 21.
func TestInvokeWritesFloats(t *testing.T) {
	h, _ := newSource(nil)
	r := invoke(t, h, fixture.Event(fixture.Ride("1", "0"), fixture.Ride("2", "0.1"), fixture.Ride("3", "1e30"), fixture.Ride("4", "-100"), fixture.Ride("5", "-99.875")))
	if got, want := r.durations(), "100.0 100.1 1e+30 0.0 0.125"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestInvokeSetsBadRecordsAside(t *testing.T) {
	h, log := newSource(nil)
	payload := fixture.Event(fixture.Ride("0", "1"), `not JSON`, fixture.Ride("2", "2"), fixture.Ride("3", `"3.66"`), fixture.Ride("4", "4"))
	payload = []byte(strings.Replace(string(payload), `]}`, `, {"kinesis": {"sequenceNumber": "5", "data": "?"}}, {"kinesis": {"sequenceNumber": "6"}}, 7]}`, 1))
	r := invoke(t, h, payload)
	if r.durations() != "101.0 102.0 104.0" {
		t.Errorf("predicted %s", r.durations())
	}
	if r.failures() != "1 3 5 6 " {
		t.Errorf("failures %q", r.failures())
	}
	var reasons []string
	for line := range strings.Lines(log.String()) {
		var entry struct{ Msg, Level, Reason, Field string }
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatal(err)
		}
		reasons = append(reasons, entry.Level+" "+entry.Msg+" "+entry.Reason+" "+entry.Field)
	}
	want := []string{
		"WARN record rejected not_json ", "WARN record rejected wrong_type ride.trip_distance",
		"WARN record rejected not_base64 ", "WARN record rejected not_base64 ", "WARN record rejected not_base64 ",
		"WARN invocation  ",
	}
	if fmt.Sprint(reasons) != fmt.Sprint(want) {
		t.Errorf("logged %q, want %q", reasons, want)
	}
	if strings.Contains(log.String(), "3.66") || strings.Contains(log.String(), "not JSON") {
		t.Errorf("a payload is in the log: %s", log)
	}
}

func TestInvokeLogsFewLines(t *testing.T) {
	h, log := newSource(nil)
	invoke(t, h, fixture.Event(fixture.Ride("1", "1"), fixture.Ride("2", "2")))
	if n := strings.Count(log.String(), "\n"); n != 1 {
		t.Errorf("%d lines for a good batch", n)
	}
	log.Reset()
	invoke(t, h, fixture.Event(make([]string, 1000)...))
	if n := strings.Count(log.String(), "\n"); n != 11 {
		t.Errorf("%d lines for a bad batch", n)
	}
}

func TestInvokeRefusesWhatIsNoEvent(t *testing.T) {
	h, _ := newSource(nil)
	for _, payload := range []string{``, `null`, `[]`, `{"Records": null}`, `{"Records": {}}`, `{"records": []}`, `{"Records": [}`} {
		if got, err := h.Invoke(context.Background(), []byte(payload)); err == nil || hint.Of(err) == "" {
			t.Errorf("%s: got %s, %v", payload, got, err)
		}
	}
	if r := invoke(t, h, []byte(`{"Records": []}`)); len(r.Predictions) != 0 || r.failures() != "" {
		t.Errorf("no records: got %+v", r)
	}
	if r := invoke(t, h, []byte(`{"Records": [1, 2], "Records": []}`)); r.failures() != "" {
		t.Errorf("the last Records count: got %+v", r)
	}
}

func TestInvokeRejectsPredictionsThatAreNoNumbers(t *testing.T) {
	for _, y := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		h, log := newSource(&takes{})
		rescore(t, h, fixture.Scorer(func(row []float64) float64 {
			if row[1] == 2 {
				return y
			}
			return row[1]
		}))
		r := invoke(t, h, fixture.Event(fixture.Ride("1", "1"), fixture.Ride("2", "2"), fixture.Ride("3", "3")))
		if r.durations() != "1.0 3.0" || r.failures() != "1" || !strings.Contains(log.String(), `"reason":"not_finite","field":"ride_duration"`) {
			t.Errorf("%v: got %+v, logged %s", y, r, log)
		}
	}
}

func TestInvokeFailsWhenTheModelDoes(t *testing.T) {
	h, _ := newSource(nil)
	broken := errors.New("broken")
	rescore(t, h, failing{broken})
	if _, err := h.Invoke(context.Background(), fixture.Event(fixture.Ride("1", "1"))); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

type failing struct{ error }

func (f failing) Score(_, _ []float64) error { return f.error }

// A batch of more rows than a call takes comes out in order.
func TestInvokeScoresManyRows(t *testing.T) {
	h, _ := newSource(nil)
	var records []string
	for i := range 2*1024 + 1 {
		records = append(records, fixture.Ride(fmt.Sprint(i), fmt.Sprint(i)))
	}
	r := invoke(t, h, fixture.Event(records...))
	for i, p := range r.Predictions {
		if want := fmt.Sprintf("%d.0", 100+i); string(p.Prediction["ride_duration"]) != want || string(p.Prediction["ride_id"]) != fmt.Sprint(i) {
			t.Fatalf("record %d: got %s", i, p.Prediction)
		}
	}
}

// Lambda may run invocations side by side, and memory is used again.
func TestInvokeConcurrently(t *testing.T) {
	h, _ := newSource(&takes{})
	var group sync.WaitGroup
	for worker := range 8 {
		group.Go(func() {
			for i := range 50 {
				miles := fmt.Sprint(worker*1000 + i)
				records := make([]string, 1+i%7)
				for j := range records {
					records[j] = fixture.Ride(miles, miles)
				}
				raw, err := h.Invoke(context.Background(), fixture.Event(records...))
				if n := strings.Count(string(raw), `"ride_id":`+miles+`}`); err != nil || n != len(records) {
					t.Errorf("got %s, %v", raw, err)
				}
			}
		})
	}
	group.Wait()
}

func TestInvokeAnswersWithinLambdasLimit(t *testing.T) {
	stream := &takes{}
	h, _ := newSource(stream)
	id := `"` + strings.Repeat("i", 600_000) + `"`
	raw, err := h.Invoke(context.Background(), fixture.Event(fixture.Ride(id, "1"), `bad`, fixture.Ride(id, "2"), fixture.Ride(id, "3"), fixture.Ride(id, "4"), fixture.Ride(id, "5"), fixture.Ride(id, "6"),
		fixture.Ride(id, "7"), fixture.Ride(id, "8"), fixture.Ride(id, "9"), fixture.Ride(id, "10"), fixture.Ride(id, "11")))
	if want := `{"predictions":[],"batchItemFailures":[{"itemIdentifier":"1"}]}`; err != nil || string(raw) != want {
		t.Errorf("got %.200s, %v", raw, err)
	}
	if stream.taken() != 11 {
		t.Errorf("published %d", stream.taken())
	}
}

// Failures count as well, at their length.
func TestInvokeAnswersManyFailuresWithinLambdasLimit(t *testing.T) {
	h, _ := newSource(nil)
	id := `"` + strings.Repeat("i", 596) + `"`
	records := make([]string, limits.BatchRecords)
	for i := range records {
		records[i] = "bad"
		if i%5 < 4 {
			records[i] = fixture.Ride(id, "1")
		}
	}
	sequence := strings.Repeat("4", 56)
	payload := strings.ReplaceAll(string(fixture.Event(records...)), `"sequenceNumber": "`, `"sequenceNumber": "`+sequence)
	raw, err := h.Invoke(context.Background(), []byte(payload))
	if err != nil || len(raw) > limits.Response || strings.Count(string(raw), sequence) != limits.BatchRecords/5 {
		t.Errorf("got %d bytes, %.200s, %v", len(raw), raw, err)
	}
}

func TestInvokeRefusesMoreRecordsThanABatchHas(t *testing.T) {
	h, _ := newSource(nil)
	for n, ok := range map[int]bool{limits.BatchRecords: true, limits.BatchRecords + 1: false, 20 * limits.BatchRecords: false} {
		_, err := h.Invoke(context.Background(), []byte(`{"Records":[0`+strings.Repeat(",0", n-1)+`]}`))
		if (err == nil) != ok || !ok && !errors.Is(err, errTooMany) {
			t.Errorf("%d records: %v", n, err)
		}
	}
	if free := h.free[0]; cap(free.elements) > 2*limits.BatchRecords*h.event.width {
		t.Errorf("it keeps room for %d records", cap(free.elements)/h.event.width)
	}
}

func TestInvokeRejectsWhatNoStreamTakes(t *testing.T) {
	stream := &takes{}
	h, log := newSource(stream)
	id := `"` + strings.Repeat("i", limits.RecordBytes) + `"`
	r := invoke(t, h, fixture.Event(fixture.Ride("1", "1"), fixture.Ride(id, "2"), fixture.Ride("3", "3")))
	if r.durations() != "101.0 103.0" || r.failures() != "1" || stream.taken() != 2 || !strings.Contains(log.String(), "too_large") {
		t.Errorf("got %s, failures %s, published %d", r.durations(), r.failures(), stream.taken())
	}
}

func TestPartitionKeys(t *testing.T) {
	for id, want := range map[string]string{
		`156`: "156", `1.50`: "1.5", `"a\u0062"`: "ab", `null`: "None", `true`: "True", `[1, 2]`: "[1, 2]",
		`"\ud83d"`:                           "7586f70fb89addbc55ee252028451c6f36b6e76ca64d663e64c71bce7fd5bdff", // half a surrogate pair is no UTF-8
		`""`:                                 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
		`"` + strings.Repeat("é", 256) + `"`: strings.Repeat("é", 256),
		`"` + strings.Repeat("a", 257) + `"`: "e8d95cc2b4bc198c54b40bd214df958afb65f5e73d2c2eafe0593cf5c635c1f0",
	} {
		stream := &takes{}
		h, _ := newSource(stream)
		invoke(t, h, fixture.Event(fixture.Ride(id, "1")))
		got := stream.messages[0].Key
		if got != want {
			t.Errorf("id %s: got key %s, want %s", id, got, want)
		}
	}
}

func TestPartitionKeyWithoutAnID(t *testing.T) {
	m := fixture.Manifest()
	m.ID = nil
	stream := &takes{}
	h, _ := newSource(stream)
	served, err := model.New(&bundle.Bundle{Manifest: *m}, fixture.Scorer(fixture.Sum))
	if err != nil {
		t.Fatal(err)
	}
	h.engine.Use(served)
	r := invoke(t, h, fixture.Event(fixture.Ride("1", "1")))
	if _, ok := r.Predictions[0].Prediction["ride_id"]; ok || stream.messages[0].Key != "key0" {
		t.Errorf("got %+v, key %s", r, stream.messages[0].Key)
	}
}

// takes is a stream that takes everything, and keeps it.
type takes struct {
	mu       sync.Mutex
	messages []inference.Message
}

func (s *takes) Put(_ context.Context, messages []inference.Message) ([]int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range messages {
		s.messages = append(s.messages, inference.Message{Key: m.Key, Data: bytes.Clone(m.Data)})
	}
	return nil, nil
}

func (s *takes) taken() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.messages)
}

func TestInvokeAllocatesPerBatchNotPerRecord(t *testing.T) {
	h, log := newSource(nil)
	records := make([]string, 1000)
	for i := range records {
		records[i] = fixture.Ride(fmt.Sprint(i), "3.66")
	}
	payload := fixture.Event(records...)
	n := testing.AllocsPerRun(20, func() {
		log.Reset()
		if _, err := h.Invoke(context.Background(), payload); err != nil {
			t.Fatal(err)
		}
	})
	if n > 20 {
		t.Errorf("%v allocations for 1,000 records", n)
	}
}
