package main

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/skiff-ml/skiff/cmd/internal/transcripts"
	"github.com/skiff-ml/skiff/cmd/tools/internal/measuring"
	"github.com/skiff-ml/skiff/inference/limits"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"bench": main})
}

// The scripts of testdata are sessions with bench. They measure, but test no
// figure.
func TestBench(t *testing.T) { transcripts.Run(t) }

// A batch of 1,000 at 2 µs is 2 ms of a whole core, 6.91 of 512 MB's share,
// which is billed as 7: half a gigabyte for 7 seconds a million records.
func TestCost(t *testing.T) {
	c := costOf(Result{Batch: 1000, Record: measuring.Spread{Median: 2000}}, 512)
	if math.Abs(c.GBSeconds-3.5) > 1e-9 {
		t.Errorf("%v GB-seconds", c.GBSeconds)
	}
	if want := 3.5*0.0000166667 + 1000*0.0000002; math.Abs(c.DollarsX86-want) > 1e-12 {
		t.Errorf("%v dollars, want %v", c.DollarsX86, want)
	}
	if more := costOf(Result{Batch: 1000, Record: measuring.Spread{Median: 2000}}, 2*mbPerCore); math.Abs(more.GBSeconds-2*mbPerCore/1024.0*2) > 1e-9 {
		t.Errorf("over one core: %v GB-seconds", more.GBSeconds)
	}
}

func TestRecommend(t *testing.T) {
	result := func(batch, payload int, ns float64) Result {
		return Result{Batch: batch, Payload: payload, Record: measuring.Spread{Median: ns}}
	}
	for _, test := range []struct {
		name    string
		results []Result
		want    int
	}{
		{"the only one", []Result{result(10, 1, 9)}, 10},
		{"the cheapest", []Result{result(1, 1, 9000), result(100, 1, 2000), result(1000, 1, 1000)}, 1000},
		{"the smallest that is as good", []Result{result(1000, 1, 300_000), result(2000, 1, 299_000), result(4000, 1, 299_000)}, 1000},
		{"none at all", []Result{result(100, limits.Request+1, 2), result(1000, limits.Request+2, 1)}, 100},
		{"none that Lambda can't deliver", []Result{result(1000, 1, 1000), result(10_000, limits.Request+1, 10)}, 1000},
	} {
		if got := recommend(test.results); got.Batch != test.want || got.Why == "" {
			t.Errorf("%s: got %+v, want %d", test.name, got, test.want)
		}
	}
}

func TestCheckPredicted(t *testing.T) {
	for response, ok := range map[string]bool{
		`{"predictions":[{},{}]}`:                                         true,
		`{"predictions":[]}`:                                              true, // too large for Lambda
		`{"predictions":[{}],"batchItemFailures":[{}]}`:                   false,
		`{"predictions":[],"batchItemFailures":[{},{}]}`:                  false,
		`{"predictions":[{}` + strings.Repeat(" ", limits.Request) + `]}`: false,
		`{`: false,
	} {
		if err := checkPredicted(event{records: 2}, []byte(response)); (err == nil) != ok {
			t.Errorf("%.60s: %v", response, err)
		}
	}
}

// The events are what Lambda sends: none is larger than the limit for nothing,
// and records come round again when they run out.
func TestEventsOf(t *testing.T) {
	made, err := eventsOf([][]byte{[]byte("a"), []byte("b"), []byte("c")}, 2, 2)
	if err != nil {
		t.Fatal(err)
	}
	var data []string
	for _, e := range made {
		var got struct {
			Records []struct {
				EventID string
				Kinesis struct {
					Data           []byte
					SequenceNumber string
				}
			}
		}
		if err := json.Unmarshal(e.payload, &got); err != nil {
			t.Fatal(err)
		}
		for _, r := range got.Records {
			if r.EventID != "shardId-000000000000:"+r.Kinesis.SequenceNumber {
				t.Errorf("event %s, sequence number %s", r.EventID, r.Kinesis.SequenceNumber)
			}
			data = append(data, string(r.Kinesis.Data))
		}
	}
	if len(data) != 4 || data[0]+data[1]+data[2]+data[3] != "abca" {
		t.Errorf("got %q", data)
	}
}
