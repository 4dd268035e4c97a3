package mapping

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"
)

func TestDeliver(t *testing.T) {
	const exhausted = " RetryAttemptsExhausted "
	payload := func(s string) Result { return Result{Payload: []byte(s)} }
	for _, tt := range []struct {
		name      string
		retries   int
		bisect    bool
		whole     bool // no ReportBatchItemFailures
		function  func([]string) Result
		invoked   string
		discarded []string
	}{
		{name: "success", function: ok, invoked: "abcd"},
		{name: "an empty list is success", function: first(failing()), invoked: "abcd"},
		{name: "a null list is success", function: first(payload(`{"batchItemFailures":null}`)), invoked: "abcd"},
		{name: "null is success", function: first(payload(`null`)), invoked: "abcd"},
		{name: "other keys are success", function: first(payload(`{"predictions":[1]}`)), invoked: "abcd"},

		{name: "again from the failed record on", retries: 1, function: first(failing("c")), invoked: "abcd cd"},
		{name: "the lowest wins", retries: 1, function: first(failing("d", "b", "c")), invoked: "abcd bcd"},
		{name: "an unknown identifier fails the batch", retries: 1, function: first(failing("c", "x")), invoked: "abcd abcd"},
		{name: "an empty identifier fails the batch", retries: 1, function: first(failing("c", "")), invoked: "abcd abcd"},
		{name: "a null identifier fails the batch", retries: 1, function: first(payload(`{"batchItemFailures":[{"itemIdentifier":null}]}`)), invoked: "abcd abcd"},
		{name: "a misspelt key fails the batch", retries: 1, function: first(payload(`{"batchItemFailures":[{"ItemIdentifier":"c"}]}`)), invoked: "abcd abcd"},
		{name: "a response that is not JSON fails the batch", retries: 1, function: first(payload(`{`)), invoked: "abcd abcd"},
		{name: "an error fails the batch", retries: 1, function: first(Result{FunctionError: "Unhandled"}), invoked: "abcd abcd"},
		{name: "failures count only when asked for", whole: true, function: first(failing("c")), invoked: "abcd"},

		{name: "retries are used up", retries: 2, function: poison("b"), invoked: "abcd abcd abcd", discarded: []string{"abcd" + exhausted + "3"}},
		{name: "no retries", function: poison("b"), invoked: "abcd", discarded: []string{"abcd" + exhausted + "1"}},
		{name: "only what failed is given up", retries: 1, function: reporting("c"), invoked: "abcd cd", discarded: []string{"cd" + exhausted + "2"}},
		{
			name: "progress does not start the count again", retries: 2, function: first(failing("b"), failing("c"), failing("d"), failing("d")),
			invoked: "abcd bcd cd", discarded: []string{"d" + exhausted + "3"},
		},
		{name: "endless retries", retries: Endless, function: first(failing("a"), failing("a"), failing("a"), failing("d")), invoked: "abcd abcd abcd abcd d"},

		{
			name: "bisecting isolates a poison record", bisect: true, function: poison("c"),
			invoked: "abcd ab cd c d", discarded: []string{"c" + exhausted + "3"},
		},
		{
			name: "bisecting uses up no retry", retries: 2, bisect: true, function: poison("a"),
			invoked: "abcd ab a a a b cd", discarded: []string{"a" + exhausted + "5"},
		},
		{
			name: "bisecting at the checkpoint", bisect: true, function: reporting("c"),
			invoked: "abcd cd c d", discarded: []string{"c" + exhausted + "3"},
		},
		{
			name: "two poison records", bisect: true, function: reporting("b", "d"),
			invoked: "abcd bcd b cd d", discarded: []string{"b" + exhausted + "3", "d" + exhausted + "4"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tr := &trial{stream: newFakeStream(), function: tt.function, config: Config{
					BatchSize: 4, MaximumRetryAttempts: tt.retries, BisectBatchOnFunctionError: tt.bisect, ReportBatchItemFailures: !tt.whole,
				}}
				tr.stream.add("shard", "a", "b", "c", "d")
				tr.stream.end("shard")
				if err := tr.run(t, t.Context()); err != nil {
					t.Fatal(err)
				}
				if got := strings.Join(tr.invoked, " "); got != tt.invoked {
					t.Errorf("invoked with %s, want %s", got, tt.invoked)
				}
				if got := tr.summary(); !slices.Equal(got, tt.discarded) {
					t.Errorf("discarded %q, want %q", got, tt.discarded)
				}
				if p := tr.progress; p.Delivered+p.Discarded != 4 || p.Invocations != len(tr.invoked) {
					t.Errorf("progress %+v does not add up", p)
				}
			})
		})
	}
}

func TestRetriesBackOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ms := time.Millisecond
		for _, tt := range []struct {
			config Config
			want   []time.Duration
		}{
			{Config{MaximumRetryAttempts: 8}, []time.Duration{100 * ms, 200 * ms, 400 * ms, 800 * ms, 1600 * ms, 3200 * ms, 5000 * ms, 5000 * ms}},
			{Config{MaximumRetryAttempts: 4, FirstPause: 2 * ms, LastPause: 5 * ms}, []time.Duration{2 * ms, 4 * ms, 5 * ms, 5 * ms}},
			{Config{MaximumRetryAttempts: 2, FirstPause: 2 * ms, LastPause: ms}, []time.Duration{ms, ms}},
		} {
			tr := &trial{stream: newFakeStream(), function: poison("a"), config: tt.config}
			tr.stream.add("shard", "a")
			tr.stream.end("shard")
			if err := tr.run(t, t.Context()); err != nil {
				t.Fatal(err)
			}
			var pauses []time.Duration
			for i := range len(tr.at) - 1 {
				pauses = append(pauses, tr.at[i+1]-tr.at[i])
			}
			if !slices.Equal(pauses, tt.want) {
				t.Errorf("pauses %v, want %v", pauses, tt.want)
			}
		}
	})
}

func TestDiscardedSaysWhy(t *testing.T) {
	failed := Result{FunctionError: "Unhandled", Payload: []byte(`{"errorMessage":"no such stream","errorType":"e"}`)}
	for name, tt := range map[string]struct {
		padding  int
		function func([]string) Result
		want     string
	}{
		"an error":        {0, first(failed), "no such stream"},
		"a report":        {0, reporting("a"), "the function reported it as a batch item failure"},
		"no event at all": {5 << 20, ok, "it is too large for an event"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tr := &trial{stream: newFakeStream(), function: tt.function, config: Config{ReportBatchItemFailures: true}}
				tr.stream.padding = strings.Repeat("x", tt.padding)
				tr.stream.add("shard", "a")
				tr.stream.end("shard")
				if err := tr.run(t, t.Context()); err != nil {
					t.Fatal(err)
				}
				if len(tr.discarded) != 1 || tr.discarded[0].Why != tt.want {
					t.Errorf("discarded %+v, want %s", tr.discarded, tt.want)
				}
			})
		})
	}
}

func TestRecordAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := &trial{stream: newFakeStream(), config: Config{
			MaximumRecordAge: time.Minute, MaximumRetryAttempts: Endless, ReportBatchItemFailures: true,
		}}
		begin := time.Now()
		tr.stream.add("shard", "a")
		<-time.After(90 * time.Second)
		tr.stream.add("shard", "b")
		<-time.After(10 * time.Second)
		tr.stream.add("shard", "c")
		tr.stream.end("shard")
		tr.function = func(ids []string) Result {
			if slices.Contains(ids, "b") { // until it is too old
				return failing("b")
			}
			return Result{}
		}
		if err := tr.run(t, t.Context()); err != nil {
			t.Fatal(err)
		}
		got := tr.summary()
		if len(got) != 2 || got[0] != "a RecordAgeExceeded 0" || !strings.HasPrefix(got[1], "b RecordAgeExceeded ") {
			t.Errorf("discarded %q", got)
		}
		if tr.discarded[0].ResponseContext != nil {
			t.Error("a record that was never delivered has a response")
		}
		if first, last := tr.invoked[0], tr.invoked[len(tr.invoked)-1]; first != "bc" || last != "c" {
			t.Errorf("invoked with %s first and %s last", first, last)
		}
		if d := time.Since(begin); d < 150*time.Second || d > 150*time.Second+lastPause {
			t.Errorf("b was given up %v after a, want 90 s and its minute", d)
		}
	})
}

func TestDiscarded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // the clock starts at 2000-01-01T00:00:00Z
		tr := &trial{stream: newFakeStream(), function: reporting("b")}
		tr.config.ReportBatchItemFailures = true
		tr.stream.add("shardId-000000000000", "a", "b")
		<-time.After(1500 * time.Millisecond)
		tr.stream.add("shardId-000000000000", "c")
		tr.stream.end("shardId-000000000000")
		if err := tr.run(t, t.Context()); err != nil {
			t.Fatal(err)
		}
		document, err := json.MarshalIndent(tr.discarded[0], "", " ")
		if err != nil {
			t.Fatal(err)
		}
		const want = `{
 "requestContext": {
  "requestId": "request",
  "functionArn": "arn:aws:lambda:us-west-2:000000000000:function:f",
  "condition": "RetryAttemptsExhausted",
  "approximateInvokeCount": 1
 },
 "responseContext": {
  "statusCode": 200,
  "executedVersion": "$LATEST"
 },
 "version": "1.0",
 "timestamp": "2000-01-01T00:00:01.500Z",
 "KinesisBatchInfo": {
  "shardId": "shardId-000000000000",
  "startSequenceNumber": "b",
  "endSequenceNumber": "c",
  "approximateArrivalOfFirstRecord": "2000-01-01T00:00:00.000Z",
  "approximateArrivalOfLastRecord": "2000-01-01T00:00:01.500Z",
  "batchSize": 2,
  "streamArn": "arn:aws:kinesis:us-west-2:000000000000:stream/start-ride-events"
 },
`
		if !strings.HasPrefix(string(document), want) {
			t.Errorf("document:\n%s\nwant:\n%s", document, want)
		}
		var payload events.KinesisEvent
		if err := json.Unmarshal([]byte(tr.discarded[0].Payload), &payload); err != nil || len(payload.Records) != 2 {
			t.Errorf("payload %s: %v", tr.discarded[0].Payload, err)
		}
	})
}
