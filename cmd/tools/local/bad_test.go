package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/skiff-ml/skiff/cmd/internal/lambdatest"
	"github.com/skiff-ml/skiff/cmd/tools/internal/taxi"
	"github.com/skiff-ml/skiff/inference"
	"github.com/skiff-ml/skiff/inference/bundle"
	"github.com/skiff-ml/skiff/inference/limits"
	"github.com/skiff-ml/skiff/inference/model"
	"github.com/skiff-ml/skiff/inference/sink"
	"github.com/skiff-ml/skiff/inference/source"
)

// goodRecords are n records of one ride.
func goodRecords(t *testing.T, n int) [][]byte {
	t.Helper()
	records := make([][]byte, n)
	for i := range records {
		var err error
		if records[i], err = (taxi.Ride{From: 130, To: 205, Miles: 3.66}).Record(i); err != nil {
			t.Fatal(err)
		}
	}
	return records
}

// Every way is rejected for the reason it has to be, with a word of why, and with its bytes; and every reason has one.
func TestWays(t *testing.T) {
	for name, limit := range map[string]float64{"a model with a limit": 3.4e38, "one without": 0} {
		t.Run(name, func(t *testing.T) {
			all := ways(limit)
			records := goodRecords(t, 2*len(all))
			bad := makeBad(records, 0.5, all)
			letters := reject(t, records, limit)
			reasons := map[inference.Reason]bool{inference.NotBase64: true, inference.UnknownCategory: true, inference.Unreadable: true} // which none can have
			for id, ride := range bad {
				of := letters.of[id]
				if len(of) != 1 || of[0].Reason != ride.way.reason || !bytes.Equal(of[0].Data, ride.record) || describe(&of[0]) == "" {
					t.Errorf("%s: %.300v", ride.way.name, of)
				}
				if size := len(ride.record) + len("20000"); size > limits.RecordBytes {
					t.Errorf("%s: %d bytes are too many for the rides stream", ride.way.name, size)
				}
				reasons[ride.way.reason] = true
			}
			if len(letters.of) != len(all) || len(reasons) != len(inference.Reasons()) {
				t.Errorf("%d of %d rejected, for %v", len(letters.of), len(all), reasons)
			}
			if errs := letters.check(bad); len(errs) > 0 {
				t.Error(errs)
			}
		})
	}
}

// The names of what producers are known to do wrong are in the dead letters.
func TestWaysAreTold(t *testing.T) {
	all := ways(0)
	records := goodRecords(t, len(all))
	bad := makeBad(records, 1, all)
	letters := reject(t, records, 0)
	for name, want := range map[string]string{
		"gzip that is cut off":            "it is compressed with gzip and damaged",
		"zlib that is cut off":            "it is compressed with zlib and damaged",
		"compressed with zstd":            "it is compressed with zstd",
		"a KPL aggregate that is cut off": "it is a KPL aggregate and damaged",
		"a gzip bomb":                     "it is compressed with gzip, and what comes out has more than",
		"UTF-16":                          "it is UTF-16, and JSON is UTF-8",
		"behind a byte order mark":        "it is JSON behind a UTF-8 byte order mark",
		"base64 twice":                    "it is JSON in base64: the producer encodes it, and so does Kinesis",
		"several numbers":                 "it holds 2 JSON documents, not one",
		"empty":                           "it is empty",
		"cut off":                         "in the middle",
		"Latin-1":                         "is not UTF-8",
		"JSON in a string":                "it is JSON in a string: the producer encodes it twice",
		"a list of a number":              "it is a list of 1",
		"without a feature":               "ride.DOLocationID",
		"without its id":                  "ride_id",
		"text for a number":               "ride.trip_distance",
		"an id too large to publish":      "1048576 are the limit",
	} {
		found := false
		for id, ride := range bad {
			if ride.way.name != name {
				continue
			}
			found = true
			if says := describe(&letters.of[id][0]); !strings.Contains(says, want) {
				t.Errorf("%s: %s", name, says)
			}
		}
		if !found {
			t.Errorf("there is no %s", name)
		}
	}
}

func TestMakeBad(t *testing.T) {
	small := slices.DeleteFunc(ways(1), func(w way) bool { return w.large })
	for _, tt := range []struct {
		n     int
		share float64
		want  int
	}{
		{20_000, 0.01, 200}, {2000, 0.01, 20}, {1000, 0.001, 1}, {100, 0.0001, 1}, {3, 1, 3}, {1, 1, 1}, {10, 0.25, 3}, {999, 0.5, 500},
	} {
		records := goodRecords(t, tt.n)
		bad := makeBad(records, tt.share, small)
		if len(bad) != tt.want {
			t.Errorf("%d of %d: %d are bad, not %d", int(tt.share*float64(tt.n)), tt.n, len(bad), tt.want)
		}
		of := map[string]int{}
		last := -1
		for id := range tt.n {
			ride, ok := bad[id]
			if !ok {
				continue
			}
			of[ride.way.name]++
			if gap := float64(tt.n) / float64(tt.want); last >= 0 && math.Abs(float64(id-last)-gap) > 1 {
				t.Errorf("%d of %d: bad ones at %d and %d", tt.want, tt.n, last, id)
			}
			last = id
		}
		for name, n := range of {
			if n > tt.want/len(small)+1 {
				t.Errorf("%d of %d: %d are %s", tt.want, tt.n, n, name)
			}
		}
		if len(of) != min(tt.want, len(small)) {
			t.Errorf("%d of %d: %d ways", tt.want, tt.n, len(of))
		}
	}
}

// Large records are few, however many are to be bad.
func TestMakeBadLarge(t *testing.T) {
	large := way{name: "large", large: true, spoil: func(string) []byte { return nil }}
	other := way{name: "other", spoil: func(string) []byte { return nil }}
	n := 0
	bad := makeBad(goodRecords(t, 100), 1, []way{large, other})
	for _, ride := range bad {
		if ride.way.large {
			n++
		}
	}
	if len(bad) != 100 || n != maxLarge {
		t.Errorf("%d large ones of %d", n, len(bad))
	}
}

func TestMember(t *testing.T) {
	const record = `{"ride":{"a":1,"b":[2],"c":3},"ride_id":4}`
	for _, tt := range []struct{ key, value, want string }{
		{"a", "x", `{"ride":{"a":x,"b":[2],"c":3},"ride_id":4}`},
		{"a", "", `{"ride":{"b":[2],"c":3},"ride_id":4}`},
		{"c", "", `{"ride":{"a":1,"b":[2]},"ride_id":4}`},
		{"ride", "", `{"ride_id":4}`},
		{"ride", "null", `{"ride":null,"ride_id":4}`},
		{"ride_id", "", `{"ride":{"a":1,"b":[2],"c":3}}`},
	} {
		if got := member(record, tt.key, tt.value); got != tt.want {
			t.Errorf("%s: %s", tt.key, got)
		}
	}
}

func TestForeignLetters(t *testing.T) {
	l := &deadLetters{of: map[int][]inference.DeadLetter{}}
	for _, line := range []string{
		`{`, `{"sequence_number":"1","partition_key":"2"}`, `{"sequence_number":"1","partition_key":"-1"}`, `{"sequence_number":"1"}`, `{"partition_key":"1"}`,
	} {
		if err := l.add([]byte(line), 2); err == nil {
			t.Errorf("%s was taken", line)
		}
	}
}

// reject has the worker's engine handle records, in events, with a model of rides, and returns the dead letters.
func reject(t *testing.T, records [][]byte, limit float64) *deadLetters {
	t.Helper()
	raw := `{"format": 2, "run_id": "r", "model": "ride_duration_prediction_model", "estimator": "e", "lowering": "table",
		"created": "2026-01-02T03:04:05Z", "libraries": {}, "converter": {}, "parity": {"bound": "bits"},
		"files": {"model.onnx": "` + strings.Repeat("0", 64) + `", "golden.jsonl": "` + strings.Repeat("0", 64) + `"},
		"id": {"name": "ride_id", "path": ["ride_id"]}, "outputs": [{"name": "ride_duration", "kind": "number", "width": 1}],
		"columns": [
			{"name": "PU_DO", "kind": "category", "missing": "reject", "vocabulary": ["130_205"],
			 "template": [{"path": ["ride", "PULocationID"]}, {"text": "_"}, {"path": ["ride", "DOLocationID"]}]},
			{"name": "trip_distance", "kind": "number", "missing": "reject", "null": "reject", "text": "reject", "path": ["ride", "trip_distance"]}
		]}`
	m, err := bundle.ParseManifest([]byte(raw))
	if err != nil {
		t.Fatal(err)
	}
	if limit > 0 {
		m.Columns[1].Limit = &limit
	}
	served, err := model.New(&bundle.Bundle{Manifest: *m}, zeros{})
	if err != nil {
		t.Fatal(err)
	}
	letters := &deadLetters{of: map[int][]inference.DeadLetter{}}
	dead := sinkFunc(func(messages []inference.Message) error {
		var errs []error
		for _, message := range messages {
			errs = append(errs, letters.add(message.Data, len(records)))
		}
		return errors.Join(errs...)
	})
	output := &inference.Target{Sink: sinkFunc(func([]inference.Message) error { return nil }), Limits: sink.KinesisLimits()}
	k := source.NewKinesis(inference.NewEngine(served, output, &inference.Target{Sink: dead, Limits: sink.FilesLimits()}, slog.New(slog.DiscardHandler)))
	for i, record := range records { // one by one: a large one is a fourth of an event
		event, err := lambdatest.EventOf([][]byte{record}, i)
		if err != nil {
			t.Fatal(err)
		}
		response, err := k.Invoke(t.Context(), event)
		if err != nil {
			t.Fatal(err)
		}
		var got struct{ Predictions []json.RawMessage }
		if err := json.Unmarshal(response, &got); err != nil {
			t.Fatal(err)
		}
		if rejected := len(letters.of[i]) == 1; rejected == (len(got.Predictions) == 1) {
			t.Errorf("record %s: %d predictions, dead letters %.300v", strconv.Itoa(i), len(got.Predictions), letters.of[i])
		}
	}
	return letters
}

// zeros predicts 0.
type zeros struct{}

func (zeros) Score(_, y []float64) error { clear(y); return nil }

type sinkFunc func(messages []inference.Message) error

func (f sinkFunc) Put(_ context.Context, messages []inference.Message) ([]int, error) {
	return nil, f(messages)
}
