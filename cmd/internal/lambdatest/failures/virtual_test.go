package failures

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/skiff-ml/skiff/cmd/internal/lambdatest"
	"github.com/skiff-ml/skiff/cmd/internal/lambdatest/mapping"
	"github.com/skiff-ml/skiff/inference"
	"github.com/skiff-ml/skiff/inference/limits"
	"github.com/skiff-ml/skiff/inference/source"
)

// functionTimeout is the function's, as it is deployed.
const functionTimeout = 15 * time.Second

// A stream is one shard in memory. A record's sequence number is its place, its partition key too.
type stream struct {
	mu      sync.Mutex
	records []lambdatest.Record
	ended   bool
}

// put puts records, of which so many in a hundred thousand are bad, evenly spread.
func (s *stream) put(n, badIn100k int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for range n {
		i := len(s.records)
		data := []byte("good")
		if isBad(i, badIn100k) {
			data = []byte("bad")
		}
		s.records = append(s.records, lambdatest.Record{SequenceNumber: strconv.Itoa(i), PartitionKey: strconv.Itoa(i), Data: data, Arrived: time.Now()})
	}
}

// isBad says whether the record at a place is a bad one: the middle one of each stretch that has one.
func isBad(i, badIn100k int) bool {
	if badIn100k == 0 {
		return false
	}
	stretch := 100_000 / badIn100k
	return i%stretch == stretch/2
}

func (s *stream) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
}

// Shards implements mapping.Lister.
func (s *stream) Shards(context.Context) ([]mapping.Shard, error) {
	return []mapping.Shard{{ID: "shardId-000000000000"}}, nil
}

// Read implements mapping.Reader.
func (s *stream) Read(_ context.Context, _, after string, limit int) ([]lambdatest.Record, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	start := 0
	if after != "" {
		last, err := strconv.Atoi(after)
		if err != nil {
			return nil, false, err
		}
		start = last + 1
	}
	end := min(start+limit, len(s.records))
	return s.records[start:end], s.ended && end == len(s.records), nil
}

// goodOrBad is a model: a record is one or the other. A prediction's key is its record's.
type goodOrBad struct{}

// Predict implements inference.Model.
func (goodOrBad) Predict(b *inference.Batch) error {
	b.RunID = "run"
	for i := range b.Items {
		if string(b.Items[i].Data) == "bad" {
			b.Reject(i, &inference.Rejection{Reason: inference.NotJSON, Detail: "it is bad"})
			continue
		}
		b.Messages = append(b.Messages, inference.Message{Key: string(b.Items[i].Key), Data: []byte("{}")})
		b.Sent = append(b.Sent, i)
	}
	return nil
}

// A target is a sink that may be down, and what it took: how often, and when first, by key.
type target struct {
	down func() error // nil: it is up

	copies map[string]int
	first  map[string]time.Time
	mu     sync.Mutex
}

func newTarget(down func() error) *target {
	return &target{down: down, copies: map[string]int{}, first: map[string]time.Time{}}
}

// Put implements inference.Sink.
func (t *target) Put(_ context.Context, messages []inference.Message) ([]int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.down != nil {
		if err := t.down(); err != nil {
			return nil, err
		}
	}
	for _, m := range messages {
		if t.copies[m.Key]++; t.copies[m.Key] == 1 {
			t.first[m.Key] = time.Now()
		}
	}
	return nil, nil
}

func (t *target) limited() *inference.Target {
	return &inference.Target{Sink: t, Limits: inference.Limits{Messages: limits.PutRecords, Bytes: limits.PutBytes, MessageBytes: limits.RecordBytes, Calls: 4}}
}

// A function is the worker's source as Lambda invokes it.
type function struct {
	source *source.Kinesis
	failed int // invocations with anything that is not dealt with
}

// Invoke implements mapping.Invoker.
func (f *function) Invoke(ctx context.Context, event []byte) (mapping.Result, error) {
	ctx, cancel := context.WithTimeout(ctx, functionTimeout)
	defer cancel()
	response, err := f.source.Invoke(ctx, event)
	if err != nil {
		f.failed++
		document, err := json.Marshal(map[string]string{"errorMessage": err.Error()})
		return mapping.Result{FunctionError: "Unhandled", Payload: document}, err
	}
	if bytes.Contains(response, []byte("batchItemFailures")) {
		f.failed++
	}
	return mapping.Result{Payload: response}, nil
}

// A trial is a mapping over a stream, in virtual time, with what came of it.
type trial struct {
	config      mapping.Config
	stream      stream
	predictions *target
	letters     *target // nil for none
	unreported  bool    // the mapping does not read batchItemFailures

	function  function
	progress  mapping.Progress
	discarded []mapping.Discarded
}

// run runs the mapping until the stream has ended.
func (tr *trial) run(t *testing.T) {
	t.Helper()
	var letters *inference.Target
	if tr.letters != nil {
		letters = tr.letters.limited()
	}
	tr.function.source = source.NewKinesis(inference.NewEngine(goodOrBad{}, tr.predictions.limited(), letters, slog.New(slog.DiscardHandler)))
	tr.function.source.Reported = !tr.unreported
	tr.config.ReportBatchItemFailures = !tr.unreported
	m, err := mapping.New(tr.config, mapping.Parts{
		Shards: &tr.stream, Records: &tr.stream, Function: &tr.function, OnFailure: tr, Log: slog.New(slog.DiscardHandler),
		OnProgress: func(p mapping.Progress) { tr.progress = p },
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// Discard implements mapping.Destination.
func (tr *trial) Discard(_ context.Context, d mapping.Discarded) error {
	tr.discarded = append(tr.discarded, d)
	return nil
}

// spread is what became of the good records.
type spread struct {
	lost            int     // neither published nor given up
	givenUp         int     // by the mapping, published or not
	copies          float64 // a record, on average
	most            int     // copies of one
	waited, longest time.Duration
}

// good is what became of the good records.
func (tr *trial) good(badIn100k int) spread {
	var s spread
	given := map[string]bool{}
	for _, d := range tr.discarded {
		for _, r := range d.Records {
			given[r.PartitionKey] = true
		}
	}
	n := 0
	for i, r := range tr.stream.records {
		if isBad(i, badIn100k) {
			continue
		}
		n++
		copies := tr.predictions.copies[r.PartitionKey]
		if given[r.PartitionKey] {
			s.givenUp++
		} else if copies == 0 {
			s.lost++
		}
		s.copies += float64(copies)
		s.most = max(s.most, copies)
		if copies > 0 {
			waited := tr.predictions.first[r.PartitionKey].Sub(r.Arrived)
			s.waited += waited
			s.longest = max(s.longest, waited)
		}
	}
	s.copies /= float64(n)
	s.waited /= time.Duration(n)
	return s
}

// The outages that are tested, as they are in life. With a dead-letter target nothing that is healthy is given up, and all is published, and what
// can never succeed is dead-lettered.
func TestOutages(t *testing.T) {
	for _, tt := range outages() {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const arrivals, begins, badIn100k = 20, 30, 1000 // records a second, seconds, 1 %
				start := time.Now()
				down := func() error {
					if since := time.Since(start) - begins*time.Second; since >= 0 && since < tt.lasts {
						return tt.err
					}
					return nil
				}
				tr := &trial{config: deployed(), predictions: newTarget(nil), letters: newTarget(nil)}
				if tt.ofLetters {
					tr.letters.down = down
				} else {
					tr.predictions.down = down
				}
				seconds := begins + int(tt.lasts/time.Second) + 60
				go func() {
					for range seconds {
						tr.stream.put(arrivals, badIn100k)
						<-time.After(time.Second)
					}
					tr.stream.end()
				}()
				synctest.Wait()
				tr.run(t)

				good := tr.good(badIn100k)
				if good.lost > 0 || len(tr.discarded) > 0 {
					t.Errorf("%d lost, %d batches given up", good.lost, len(tr.discarded))
				}
				for i, r := range tr.stream.records {
					if isBad(i, badIn100k) && tr.letters.copies[r.PartitionKey] == 0 {
						t.Errorf("record %d is not among the dead letters", i)
					}
				}
				t.Logf("%v: %d records, %d of %d invocations failed, %.2f copies of a good record and at most %d, the longest wait %v",
					tt.lasts, seconds*arrivals, tr.function.failed, tr.progress.Invocations, good.copies, good.most, good.longest)
				if f := tr.function.failed; f < tt.failed[0] || f > tt.failed[1] {
					t.Errorf("%d failed invocations, expected are %v", f, tt.failed)
				}
			})
		})
	}
}

// Why it is age that bounds retries where there is a dead-letter target: by their number, an outage gives healthy records up.
func TestOutageBoundedByNumber(t *testing.T) {
	for _, tt := range outages() {
		if tt.ofLetters {
			continue
		}
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				tr := &trial{config: deployed(), letters: newTarget(nil), predictions: newTarget(func() error {
					if time.Since(start) < tt.lasts {
						return tt.err
					}
					return nil
				})}
				tr.config.MaximumRetryAttempts = 5
				tr.stream.put(amplified, 0)
				tr.stream.end()
				tr.run(t)
				good := tr.good(0)
				t.Logf("%d of %d healthy records were given up", good.givenUp, amplified)
				if good.givenUp == 0 || good.lost > 0 {
					t.Errorf("good records: %+v", good)
				}
			})
		})
	}
}

// What retrying costs where there is no dead-letter target. docs/operate.md quotes it.
func TestAmplification(t *testing.T) {
	for _, tt := range amplifications() {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tr := &trial{config: tt.config(), predictions: newTarget(nil), unreported: tt.unreported}
				tr.stream.put(amplified, tt.badIn100k)
				tr.stream.end()
				begin := time.Now()
				tr.run(t)
				good := tr.good(tt.badIn100k)
				t.Logf("%d invocations for %d records, %.2f copies of a good record and at most %d, given up %d, waited %v on average and %v at most; all took %v",
					tr.progress.Invocations, amplified, good.copies, good.most, good.givenUp, good.waited.Round(time.Millisecond), good.longest, time.Since(begin))
				tt.check(t, tr.progress.Invocations, good)
				if bad := tt.badIn100k * amplified / 100_000; !slices.ContainsFunc(tr.discarded, func(d mapping.Discarded) bool { return len(d.Records) > 0 }) || tr.progress.Discarded < bad {
					t.Errorf("%d given up", tr.progress.Discarded)
				}
			})
		})
	}
}
