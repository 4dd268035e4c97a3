package mapping

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
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

func sortRecords(records []Record) {
	slices.SortFunc(records, func(a, b Record) int { return strings.Compare(a.SequenceNumber, b.SequenceNumber) })
}
