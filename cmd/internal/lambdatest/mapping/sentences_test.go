package mapping

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// The sentences that the mapping goes by, of the AWS Lambda Developer Guide and the API reference, each with what it means for four records of a
// shard: a, b, c, d. They are given up after the retries, and the pages are those of the guide unless they say otherwise.
func TestSentences(t *testing.T) {
	const (
		polling   = "Polling and batching streams: "
		reporting = "Configuring partial batch response: "
		retaining = "Retain discarded batch records: "
		api       = "CreateEventSourceMapping: "
	)
	payload := func(s string) Result { return Result{Payload: []byte(s)} }
	fails := Result{FunctionError: "Unhandled"}
	big := strings.Repeat("x", 2<<20)
	for _, tt := range []struct {
		sentence  string
		config    Config
		padding   string
		function  func([]string) Result
		invoked   string
		discarded string
	}{
		{polling + "Before invoking the function, Lambda continues to read records until it has gathered a full batch", Config{BatchSize: 3}, "", ok, "abc d", ""},
		{polling + "… or the batch reaches the payload limit of 6 MB", Config{}, big, ok, "ab cd", ""},
		{api + "BatchSize: the maximum number of records in each batch", Config{BatchSize: 1}, "", ok, "a b c d", ""},

		{reporting + "responses will not be processed unless ReportBatchItemFailures is explicitly turned on", Config{}, "", first(failing("b")), "abcd", ""},
		{
			reporting + "Lambda uses the record with the lowest sequence number as the checkpoint, and retries all records from it", Config{ReportBatchItemFailures: true, MaximumRetryAttempts: 1}, "", first(failing("d", "b")), "abcd bcd", "",
		},
		{reporting + "success: an empty batchItemFailure list", Config{ReportBatchItemFailures: true}, "", first(payload(`{"batchItemFailures":[]}`)), "abcd", ""},
		{reporting + "success: a null batchItemFailure list", Config{ReportBatchItemFailures: true}, "", first(payload(`{"batchItemFailures":null}`)), "abcd", ""},
		{reporting + "success: an empty EventResponse", Config{ReportBatchItemFailures: true}, "", first(payload(`{}`)), "abcd", ""},
		{reporting + "success: a null EventResponse", Config{ReportBatchItemFailures: true}, "", first(payload(`null`)), "abcd", ""},
		{
			reporting + "failure: an empty string itemIdentifier",
			Config{ReportBatchItemFailures: true, MaximumRetryAttempts: 1},
			"",
			first(failing("")), "abcd abcd", "",
		},
		{
			reporting + "failure: a null itemIdentifier",
			Config{ReportBatchItemFailures: true, MaximumRetryAttempts: 1},
			"",
			first(payload(`{"batchItemFailures":[{"itemIdentifier":null}]}`)), "abcd abcd", "",
		},
		{
			reporting + "failure: an itemIdentifier with a bad key name",
			Config{ReportBatchItemFailures: true, MaximumRetryAttempts: 1},
			"",
			first(payload(`{"batchItemFailures":[{"itemidentifier":"c"}]}`)), "abcd abcd", "",
		},
		{
			reporting + "if the invocation fails and BisectBatchOnFunctionError is on, the batch is bisected regardless of ReportBatchItemFailures",
			Config{ReportBatchItemFailures: true, BisectBatchOnFunctionError: true},
			"", first(fails), "abcd ab cd", "",
		},
		{
			reporting + "with both on, the batch is bisected at the returned sequence number, and only the remaining records are retried",
			Config{ReportBatchItemFailures: true, BisectBatchOnFunctionError: true},
			"", first(failing("c")), "abcd cd", "",
		},

		{api + "BisectBatchOnFunctionError: if the function returns an error, split the batch in two and retry", Config{BisectBatchOnFunctionError: true}, "", first(fails), "abcd ab cd", ""},
		{
			retaining + "splitting batches does not consume the retry quota",
			Config{BisectBatchOnFunctionError: true, MaximumRetryAttempts: 1},
			"",
			poison("a"), "abcd ab a a b cd", "a RetryAttemptsExhausted",
		},
		{api + "MaximumRetryAttempts: discard records after the specified number of retries", Config{MaximumRetryAttempts: 2}, "", poison("c"), "abcd abcd abcd", "abcd RetryAttemptsExhausted"},
		{
			api + "MaximumRetryAttempts: infinite (-1), failed records are retried until the record expires",
			Config{MaximumRetryAttempts: Endless},
			"",
			first(fails, fails, fails, fails), "abcd abcd abcd abcd abcd", "",
		},
		{
			retaining + "if the error handling measures fail, Lambda discards the records and continues processing batches",
			Config{BatchSize: 2},
			"",
			poison("b"), "ab cd", "ab RetryAttemptsExhausted",
		},
	} {
		t.Run(tt.sentence, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tr := &trial{stream: newFakeStream(), function: tt.function, config: tt.config}
				tr.stream.padding = tt.padding
				tr.stream.add("shard", "a", "b", "c", "d")
				tr.stream.end("shard")
				if err := tr.run(t, t.Context()); err != nil {
					t.Fatal(err)
				}
				invoked := tr.invoked
				for i, at := range invoked { // a record's number is its data
					invoked[i] = strings.ReplaceAll(at, tt.padding+" ", "")
				}
				if got := strings.Join(invoked, " "); got != tt.invoked {
					t.Errorf("invoked with %.200s, want %s", got, tt.invoked)
				}
				if got := strings.Join(tr.summary(), " "); !strings.HasPrefix(got, tt.discarded) || tt.discarded == "" && got != "" {
					t.Errorf("discarded %q, want %q", got, tt.discarded)
				}
			})
		})
	}
}

// "Lambda can process up to 10 batches in each shard simultaneously. If you increase the number of concurrent batches per shard, Lambda still
// ensures in-order processing at the partition-key level": "How Lambda processes records from Kinesis".
func TestParallelizationFactor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const factor, keys, each = 4, 8, 10
		s := newFakeStream()
		s.add("shard")
		for i := range keys * each {
			s.records["shard"] = append(s.records["shard"], Record{
				SequenceNumber: fmt.Sprintf("%03d", i), PartitionKey: fmt.Sprint("key ", i%keys), Data: []byte("{}"), Arrived: time.Now(),
			})
		}
		s.end("shard")
		key := func(id string) int {
			i, err := strconv.Atoi(id)
			if err != nil {
				t.Error(err)
			}
			return i % keys
		}
		var mu sync.Mutex
		running, most, invocations, busy := 0, 0, 0, map[int][]string{}
		var order [keys][]string
		m, err := New(Config{ParallelizationFactor: factor, BatchSize: 3, MaximumRetryAttempts: Endless}, Parts{
			Shards: s, Records: s, Log: slog.New(slog.DiscardHandler), OnFailure: destinationFunc(func(Discarded) error { return nil }),
			Function: invokerFunc(func(_ context.Context, ids []string) (Result, error) {
				mu.Lock()
				running++
				most = max(most, running)
				for _, id := range ids {
					if other := busy[key(id)]; other != nil && other[0] != ids[0] {
						t.Errorf("key %d is in two invocations at once", key(id))
					}
					busy[key(id)] = ids
				}
				invocations++
				fail := invocations%3 == 0
				mu.Unlock()
				<-time.After(time.Second)
				mu.Lock()
				defer mu.Unlock()
				running--
				for _, id := range ids {
					delete(busy, key(id))
					if !fail {
						order[key(id)] = append(order[key(id)], id)
					}
				}
				if fail {
					return Result{FunctionError: "Unhandled"}, nil
				}
				return Result{}, nil
			}),
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if most < 2 || most > factor {
			t.Errorf("%d invocations at once, at most", most)
		}
		for k, ids := range order {
			if len(ids) != each || !slices.IsSorted(ids) {
				t.Errorf("key %d: %v", k, ids)
			}
		}
	})
}

// A tumblingTrial is a mapping with windows of a minute over one shard.
type tumblingTrial struct {
	stream *fakeStream
	answer func(n int, e tumblingEvent) Result
	events []tumblingEvent
}

type tumblingEvent struct {
	windowed

	Records []struct {
		Kinesis struct {
			SequenceNumber string `json:"sequenceNumber"`
		} `json:"kinesis"`
	}
}

// ids are the records of an event, joined.
func (e tumblingEvent) ids() string {
	ids := ""
	for _, r := range e.Records {
		ids += r.Kinesis.SequenceNumber
	}
	return ids
}

type eventFunc func(event []byte) Result

func (f eventFunc) Invoke(_ context.Context, event []byte) (Result, error) { return f(event), nil }

func (tr *tumblingTrial) run(t *testing.T, ctx context.Context) error { //nolint:revive // t comes first in a helper
	t.Helper()
	m, err := New(Config{EventSourceARN: "stream", TumblingWindow: time.Minute, MaximumRetryAttempts: Endless, BatchSize: 2}, Parts{
		Shards: tr.stream, Records: tr.stream, Log: slog.New(slog.DiscardHandler), OnFailure: destinationFunc(func(Discarded) error { return nil }),
		Function: eventFunc(func(event []byte) Result {
			var e tumblingEvent
			if err := json.Unmarshal(event, &e); err != nil {
				t.Errorf("%s: %v", event, err)
			}
			tr.events = append(tr.events, e)
			return tr.answer(len(tr.events), e)
		}),
	})
	if err != nil {
		t.Fatal(err)
	}
	return m.Run(ctx)
}

// counting answers with how many records the window has had.
func counting(_ int, e tumblingEvent) Result {
	var state struct{ N int }
	_ = json.Unmarshal(e.State, &state) // a fresh one has none
	return Result{Payload: fmt.Appendf(nil, `{"state":{"n":%d}}`, state.N+len(e.Records))}
}

// said is what the function got, an invocation a word: its records, the state, and whether the window ends.
func (tr *tumblingTrial) said() string {
	var words []string
	for _, e := range tr.events {
		word := e.ids() + string(e.State)
		if e.IsFinal {
			word += "final"
		}
		if e.TerminatedEarly {
			word += "early"
		}
		words = append(words, word)
	}
	return strings.Join(words, " ")
}

// "Implementing stateful processing": every sentence's own case.
func TestTumblingWindows(t *testing.T) {
	for name, tt := range map[string]struct {
		answer func(n int, e tumblingEvent) Result
		want   string
	}{
		"At the end of the window, isFinalInvokeForWindow is set to true, and then the state is dropped": {
			counting, `ab{} c{"n":2} {"n":3}final d{} {"n":1}final`,
		},
		"If the response doesn't contain a state property, Lambda considers this a failed invocation": {
			func(n int, e tumblingEvent) Result {
				if n == 1 {
					return Result{Payload: []byte(`{"batchItemFailures":[]}`)}
				}
				return counting(n, e)
			}, `ab{} ab{} c{"n":2} {"n":3}final d{} {"n":1}final`,
		},
		"If an invocation is unsuccessful, Lambda suspends further processing until a successful invocation": {
			func(n int, e tumblingEvent) Result {
				if n == 3 || n == 4 {
					return Result{FunctionError: "Unhandled"}
				}
				return counting(n, e)
			}, `ab{} c{"n":2} {"n":3}final {"n":3}final {"n":3}final d{} {"n":1}final`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
				defer cancel()
				tr := &tumblingTrial{stream: newFakeStream(), answer: tt.answer}
				go func() {
					<-time.After(10 * time.Second)
					tr.stream.add("shard", "a", "b")
					<-time.After(20 * time.Second)
					tr.stream.add("shard", "c")
					<-time.After(40 * time.Second)
					tr.stream.add("shard", "d")
				}()
				tr.stream.add("shard")
				if err := tr.run(t, ctx); !errors.Is(err, context.DeadlineExceeded) {
					t.Fatal(err)
				}
				if got := tr.said(); got != tt.want {
					t.Errorf("%s\nwant %s", got, tt.want)
				}
				first := tr.events[0]
				if first.Window.Start != "2000-01-01T00:00:00Z" || first.Window.End != "2000-01-01T00:01:00Z" || first.ShardID != "shard" || first.EventSourceARN != "stream" {
					t.Errorf("%+v", first.windowed)
				}
			})
		})
	}
}

// "Your state can be a maximum of 1 MB per shard. If it exceeds that size, Lambda terminates the window early". It goes on with a fresh one.
func TestTumblingStateTooLarge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := &tumblingTrial{stream: newFakeStream(), answer: func(n int, e tumblingEvent) Result {
			if n == 1 {
				return Result{Payload: []byte(`{"state":{"x":"` + strings.Repeat("x", 1<<20) + `"}}`)}
			}
			return counting(n, e)
		}}
		tr.stream.add("shard", "a", "b", "c")
		tr.stream.end("shard")
		if err := tr.run(t, t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := tr.events; len(got) != 4 || !got[1].TerminatedEarly || got[1].IsFinal || len(got[1].State) < 1<<20 ||
			got[2].ids() != "c" || string(got[2].State) != "{}" || !got[3].IsFinal {
			t.Errorf("%.300s", tr.said())
		}
	})
}

// "Each record in a stream belongs to a specific window": a batch has those of one.
func TestTumblingBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := &tumblingTrial{stream: newFakeStream(), answer: counting}
		<-time.After(59 * time.Second)
		tr.stream.add("shard", "a")
		<-time.After(2 * time.Second)
		tr.stream.add("shard", "b")
		tr.stream.end("shard")
		if err := tr.run(t, t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := tr.said(); got != `a{} {"n":1}final b{} {"n":1}final` {
			t.Error(got)
		}
	})
}
