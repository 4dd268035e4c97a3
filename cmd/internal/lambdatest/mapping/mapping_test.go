package mapping

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"
)

// fakeStream is shards of records in memory. Sequence numbers are the records' data.
type fakeStream struct {
	mu      sync.Mutex
	parents map[string][]string
	records map[string][]Record
	ended   map[string]bool
	padding string // after each record's data
	reads   int
	read    func(shard string) error // called before each read
}

func newFakeStream() *fakeStream {
	return &fakeStream{parents: map[string][]string{}, records: map[string][]Record{}, ended: map[string]bool{}}
}

func (s *fakeStream) add(shard string, ids ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, known := s.parents[shard]; !known {
		s.parents[shard] = nil
	}
	for _, id := range ids {
		s.records[shard] = append(s.records[shard], Record{SequenceNumber: id, PartitionKey: "key of " + id, Data: []byte(id + s.padding), Arrived: time.Now()})
	}
}

func (s *fakeStream) end(shards ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, shard := range shards {
		s.ended[shard] = true
	}
}

func (s *fakeStream) Shards(context.Context) ([]Shard, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var shards []Shard
	for id, parents := range s.parents {
		shards = append(shards, Shard{ID: id, Parents: parents})
	}
	return shards, nil
}

func (s *fakeStream) Read(_ context.Context, shard, after string, limit int) ([]Record, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reads++
	if s.read != nil {
		if err := s.read(shard); err != nil {
			return nil, false, err
		}
	}
	all := s.records[shard]
	start := slices.IndexFunc(all, func(r Record) bool { return r.SequenceNumber == after }) + 1
	end := min(start+limit, len(all))
	return all[start:end], s.ended[shard] && end == len(all), nil
}

// invokerFunc is a function that answers for the sequence numbers it gets.
type invokerFunc func(ctx context.Context, ids []string) (Result, error)

func (f invokerFunc) Invoke(ctx context.Context, event []byte) (Result, error) {
	var e events.KinesisEvent
	if err := json.Unmarshal(event, &e); err != nil {
		return Result{}, err
	}
	var ids []string
	for _, r := range e.Records {
		ids = append(ids, r.Kinesis.SequenceNumber)
	}
	return f(ctx, ids)
}

// failing answers with batch item failures.
func failing(ids ...string) Result {
	var response events.KinesisEventResponse
	for _, id := range ids {
		response.BatchItemFailures = append(response.BatchItemFailures, events.KinesisBatchItemFailure{ItemIdentifier: id})
	}
	payload, err := json.Marshal(response)
	if err != nil {
		panic(err)
	}
	return Result{RequestID: "request", Payload: payload}
}

type destinationFunc func(Discarded) error

func (f destinationFunc) Discard(_ context.Context, d Discarded) error { return f(d) }

// trial is a mapping over a fake stream, with what it did.
type trial struct {
	config   Config
	stream   *fakeStream
	function func(ids []string) Result

	invoked   []string // the records of each invocation, joined
	at        []time.Duration
	discarded []Discarded
	progress  Progress
}

func (tr *trial) run(t *testing.T, ctx context.Context) error { //nolint:revive // t comes first in a helper
	t.Helper()
	start := time.Now()
	var mu sync.Mutex
	tr.config.EventSourceARN = "arn:aws:kinesis:us-west-2:000000000000:stream/start-ride-events"
	tr.config.FunctionARN = "arn:aws:lambda:us-west-2:000000000000:function:f"
	m, err := New(tr.config, Parts{
		Shards: tr.stream, Records: tr.stream, Log: slog.New(slog.DiscardHandler),
		Function: invokerFunc(func(_ context.Context, ids []string) (Result, error) {
			mu.Lock()
			tr.invoked = append(tr.invoked, strings.Join(ids, ""))
			tr.at = append(tr.at, time.Since(start))
			mu.Unlock()
			return tr.function(ids), nil
		}),
		OnFailure: destinationFunc(func(d Discarded) error {
			mu.Lock()
			defer mu.Unlock()
			tr.discarded = append(tr.discarded, d)
			return nil
		}),
		OnProgress: func(p Progress) { tr.progress = p },
	})
	if err != nil {
		t.Fatal(err)
	}
	return m.Run(ctx)
}

// summary is the discarded records, with the condition and the number of invocations.
func (tr *trial) summary() []string {
	var s []string
	for _, d := range tr.discarded {
		ids := ""
		for _, r := range d.Records {
			ids += r.SequenceNumber
		}
		s = append(s, fmt.Sprintf("%s %s %d", ids, d.RequestContext.Condition, d.RequestContext.ApproximateInvokeCount))
	}
	return s
}

func ok([]string) Result { return Result{} }

// poison fails every batch with one of ids in it, as a function that returns an error does.
func poison(ids ...string) func([]string) Result {
	return func(batch []string) Result {
		for _, id := range batch {
			if slices.Contains(ids, id) {
				return Result{RequestID: "request", FunctionError: "Unhandled"}
			}
		}
		return Result{}
	}
}

// reporting reports those of ids that are in the batch.
func reporting(ids ...string) func([]string) Result {
	return func(batch []string) Result {
		var failed []string
		for _, id := range ids {
			if slices.Contains(batch, id) {
				failed = append(failed, id)
			}
		}
		return failing(failed...)
	}
}

// first answers each invocation with the next result, and then with success.
func first(results ...Result) func([]string) Result {
	return func([]string) Result {
		if len(results) == 0 {
			return Result{}
		}
		r := results[0]
		results = results[1:]
		return r
	}
}

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
		tr := &trial{stream: newFakeStream(), function: poison("a"), config: Config{MaximumRetryAttempts: 8}}
		tr.stream.add("shard", "a")
		tr.stream.end("shard")
		if err := tr.run(t, t.Context()); err != nil {
			t.Fatal(err)
		}
		var pauses []time.Duration
		for i := range len(tr.at) - 1 {
			pauses = append(pauses, tr.at[i+1]-tr.at[i])
		}
		ms := time.Millisecond
		want := []time.Duration{100 * ms, 200 * ms, 400 * ms, 800 * ms, 1600 * ms, 3200 * ms, 5000 * ms, 5000 * ms}
		if !slices.Equal(pauses, want) {
			t.Errorf("pauses %v, want %v", pauses, want)
		}
	})
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

func TestBatches(t *testing.T) {
	big := strings.Repeat("x", 1<<20) // 1.33 MiB in base64: four fit into 6 MB
	for _, tt := range []struct {
		name   string
		size   int
		window time.Duration
		add    func(s *fakeStream)
		want   []string // records of an invocation, and when
	}{
		{
			name: "without a window, what there is", size: 100,
			add: func(s *fakeStream) {
				s.add("shard", "a", "b")
				<-time.After(1500 * time.Millisecond)
				s.add("shard", "c")
			},
			want: []string{"2 at 0s", "1 at 2s"},
		},
		{
			name: "no more than the batch size", size: 2,
			add:  func(s *fakeStream) { s.add("shard", "a", "b", "c", "d", "e") },
			want: []string{"2 at 0s", "2 at 0s", "1 at 0s"},
		},
		{
			name: "the window starts with the first record", size: 100, window: 5 * time.Second,
			add: func(s *fakeStream) {
				<-time.After(2500 * time.Millisecond)
				s.add("shard", "a")
				<-time.After(3 * time.Second)
				s.add("shard", "b")
			},
			want: []string{"2 at 8s"},
		},
		{
			name: "a full batch does not wait for its window", size: 2, window: 5 * time.Second,
			add: func(s *fakeStream) {
				s.add("shard", "a")
				<-time.After(1500 * time.Millisecond)
				s.add("shard", "b", "c")
			},
			want: []string{"2 at 2s", "1 at 7s"},
		},
		{
			name: "no more than 6 MB", size: 100, window: 5 * time.Second,
			add:  func(s *fakeStream) { s.padding = big; s.add("shard", "a", "b", "c", "d", "e", "f") },
			want: []string{"4 at 0s", "2 at 5s"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				var counts []int
				tr := &trial{stream: newFakeStream(), config: Config{BatchSize: tt.size, MaximumBatchingWindow: tt.window}}
				tr.function = func(ids []string) Result { counts = append(counts, len(ids)); return Result{} }
				tr.stream.add("shard")
				go tt.add(tr.stream)
				synctest.Wait()
				if err := tr.run(t, ctx); !errors.Is(err, context.DeadlineExceeded) {
					t.Fatal(err)
				}
				var got []string
				for i, n := range counts {
					got = append(got, fmt.Sprintf("%d at %v", n, tr.at[i]))
				}
				if !slices.Equal(got, tt.want) {
					t.Errorf("invoked with %q, want %q", got, tt.want)
				}
			})
		})
	}
}

func TestTooLargeForAnEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := &trial{stream: newFakeStream(), function: ok}
		tr.stream.add("shard", "a")
		tr.stream.padding = strings.Repeat("x", 5<<20)
		tr.stream.add("shard", "b")
		tr.stream.padding = ""
		tr.stream.add("shard", "c")
		tr.stream.end("shard")
		if err := tr.run(t, t.Context()); err != nil {
			t.Fatal(err)
		}
		if len(tr.discarded) != 1 || strings.Join(tr.invoked, " ") != "a c" {
			t.Errorf("invoked %d times, discarded %d times", len(tr.invoked), len(tr.discarded))
		}
	})
}

func TestIdleShardIsReadOnceASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second+time.Millisecond)
		defer cancel()
		tr := &trial{stream: newFakeStream(), function: ok}
		tr.stream.add("shard")
		if err := tr.run(t, ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
		if tr.stream.reads != 11 {
			t.Errorf("%d reads in 10 s, want 11", tr.stream.reads)
		}
	})
}

func TestChildrenFollowTheirParents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := &trial{stream: newFakeStream(), config: Config{BatchSize: 1}}
		s := tr.stream
		s.add("0", "a", "b")
		s.add("1", "c")
		s.parents["1"] = []string{"gone"} // a parent that the stream no longer knows
		resharded := false
		tr.function = func(ids []string) Result {
			if ids[0] == "b" && !resharded { // 0 splits into 2 and 3, and 3 merges with 1 to 4
				resharded = true
				s.add("4", "f")
				s.add("2", "d")
				s.add("3", "e")
				s.mu.Lock()
				s.parents["2"], s.parents["3"], s.parents["4"] = []string{"0"}, []string{"0"}, []string{"3", "1"}
				s.mu.Unlock()
				s.end("0", "1", "2", "3", "4")
				<-time.After(time.Minute)
			}
			return Result{}
		}
		if err := tr.run(t, t.Context()); err != nil {
			t.Fatal(err)
		}
		at := func(id string) int { return slices.Index(tr.invoked, id) }
		if len(tr.invoked) != 6 || at("a") > at("b") || at("b") > at("d") || at("b") > at("e") || at("e") > at("f") || at("c") > at("f") {
			t.Errorf("invoked with %q", tr.invoked)
		}
	})
}

func TestRunEndsOnErrors(t *testing.T) {
	broken := errors.New("broken")
	base := func() Parts {
		s := newFakeStream()
		s.add("0")
		s.add("1", "a")
		return Parts{
			Shards: s, Records: s, Log: slog.New(slog.DiscardHandler),
			Function:  invokerFunc(func(context.Context, []string) (Result, error) { return Result{FunctionError: "Unhandled"}, nil }),
			OnFailure: destinationFunc(func(Discarded) error { return nil }),
		}
	}
	for name, change := range map[string]func(*Parts){
		"a shard that has vanished": func(p *Parts) {
			p.Records.(*fakeStream).read = func(shard string) error {
				if shard == "1" {
					return broken
				}
				return nil
			}
		},
		"a function that cannot be invoked": func(p *Parts) {
			p.Function = invokerFunc(func(context.Context, []string) (Result, error) { return Result{}, broken })
		},
		"a destination that refuses": func(p *Parts) { p.OnFailure = destinationFunc(func(Discarded) error { return broken }) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				parts := base()
				change(&parts)
				m, err := New(Config{}, parts)
				if err != nil {
					t.Fatal(err)
				}
				begin := time.Now()
				if err := m.Run(t.Context()); !errors.Is(err, broken) {
					t.Errorf("error %v", err)
				}
				if d := time.Since(begin); d != 0 {
					t.Errorf("it took %v", d)
				}
			})
		})
	}
}

func TestValidate(t *testing.T) {
	for _, tt := range []struct {
		config Config
		ok     bool
	}{
		{Config{}, true},
		{Config{BatchSize: 10_000, MaximumBatchingWindow: 300 * time.Second, MaximumRetryAttempts: 10_000, MaximumRecordAge: 7 * 24 * time.Hour}, true},
		{Config{MaximumRetryAttempts: Endless}, true},
		{Config{BatchSize: 10_001}, false},
		{Config{BatchSize: -1}, false},
		{Config{MaximumBatchingWindow: 301 * time.Second}, false},
		{Config{MaximumRetryAttempts: -2}, false},
		{Config{MaximumRetryAttempts: 10_001}, false},
		{Config{MaximumRecordAge: 59 * time.Second}, false},
		{Config{MaximumRecordAge: 7*24*time.Hour + 1}, false},
	} {
		if err := tt.config.Validate(); (err == nil) != tt.ok {
			t.Errorf("%+v: %v", tt.config, err)
		}
	}
}
