package simulation

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
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/skiff-ml/skiff/cmd/internal/lambdatest/mapping"
	"github.com/skiff-ml/skiff/inference"
	"github.com/skiff-ml/skiff/inference/sink"
	"github.com/skiff-ml/skiff/inference/source"
)

const (
	timeout = 15 * time.Second // the function's
	ends    = 24 * time.Hour   // of virtual time, when any history is long over
	most    = 300              // invocations, and none takes as many
	largest = 400              // bytes of a message
)

var errEndless = fmt.Errorf("there are more than %d invocations", most)

// A violation is what should not be.
type violation struct{ invariant, what string }

func (v *violation) String() string { return v.invariant + ": " + v.what }

// A simulation is a history as it runs.
type simulation struct {
	history  *history
	services services
	source   *source.Kinesis
	engine   *inference.Engine
	version  atomic.Int64 // of the model

	mu          sync.Mutex
	invocations []*invocation
	counts      [3]int // of invocations, by shard
	givenUp     map[int]bool
	violation   *violation // the first
}

// An invocation is one of the worker.
type invocation struct {
	shard, number int
	ids           []int
	cancel        context.CancelFunc

	mu      sync.Mutex
	killed  bool
	faults  int
	version int64
	chunks  []*chunk
}

// A chunk is messages that were put together, and are tried again.
type chunk struct {
	operation string
	first     int
	ids       []int
	tries     int
	outage    bool
}

// place is where a call is. What it has of a chunk is that chunk again.
func (inv *invocation) place(operation string, first int, entries []entry) place {
	inv.mu.Lock()
	defer inv.mu.Unlock()
	for _, c := range inv.chunks {
		if c.operation == operation && (c.first == first || slices.Contains(c.ids, first)) {
			c.tries++
			return place{inv.shard, inv.number, operation, c.first, c.tries}
		}
	}
	c := &chunk{operation: operation, first: first}
	for _, e := range entries {
		c.ids = append(c.ids, e.id)
	}
	inv.chunks = append(inv.chunks, c)
	return place{inv.shard, inv.number, operation, first, 0}
}

// outage reports whether a chunk's outage goes on, which begins with a fault of that kind.
func (inv *invocation) outage(operation string, first int, fault byte) bool {
	inv.mu.Lock()
	defer inv.mu.Unlock()
	for _, c := range inv.chunks {
		if c.operation == operation && c.first == first {
			was := c.outage
			c.outage = c.outage || fault == 'o'
			return was
		}
	}
	return false
}

func (inv *invocation) kill() {
	inv.mu.Lock()
	defer inv.mu.Unlock()
	inv.killed = true
	inv.cancel()
}

func (inv *invocation) dead() bool {
	inv.mu.Lock()
	defer inv.mu.Unlock()
	return inv.killed
}

// run runs a history, and returns what went wrong, if anything, and the faults that took place.
func run(t *testing.T, h history) (v *violation, injected map[place]byte) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &simulation{history: &h, givenUp: map[int]bool{}}
		s.services = services{history: &h, objects: map[string]bool{}, injected: map[place]byte{}}
		err := s.run(t.Context())
		if s.violation == nil && err != nil {
			s.violation = &violation{"stuck", err.Error()}
		}
		if s.violation == nil {
			s.judge()
		}
		v, injected = s.violation, s.services.injected
	})
	return v, injected
}

func (s *simulation) run(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, ends)
	defer cancel()
	letters, err := s.services.target(s.history.Letters)
	if err != nil {
		return err
	}
	stream, err := sink.ParseStream("predictions")
	if err != nil {
		return err
	}
	output := s.services.limited(sink.NewKinesis(s.services.sdk(), stream, "", "PREDICTIONS_STREAM_NAME"))
	log := slog.New(slog.DiscardHandler)
	s.engine = inference.NewEngine(s.model(), output, letters, log)
	s.source = source.NewKinesis(s.engine)
	s.source.Reported = s.history.Report
	config := mapping.Config{
		BatchSize: s.history.Batch, MaximumRetryAttempts: s.history.Retries, BisectBatchOnFunctionError: s.history.Bisect,
		ReportBatchItemFailures: s.history.Report,
	}
	if s.history.Age {
		config.MaximumRecordAge = time.Minute
	}
	if s.history.Window {
		config.TumblingWindow = time.Minute
	}
	m, err := mapping.New(config, mapping.Parts{Shards: s, Records: s, Function: s, OnFailure: s, Log: log})
	if err != nil {
		return err
	}
	return m.Run(ctx)
}

// Shards implements mapping.Lister.
func (s *simulation) Shards(context.Context) ([]mapping.Shard, error) {
	shards := make([]mapping.Shard, s.history.Shards)
	for i := range shards {
		shards[i].ID = strconv.Itoa(i)
	}
	if s.history.Reshard > 0 {
		child := mapping.Shard{ID: strconv.Itoa(s.history.Shards)}
		for _, parent := range shards {
			child.Parents = append(child.Parents, parent.ID)
		}
		shards = append(shards, child)
	}
	return shards, nil
}

// Read implements mapping.Reader. A record's sequence number and key are its id.
func (s *simulation) Read(_ context.Context, shard, after string, limit int) ([]mapping.Record, bool, error) {
	last := -1
	if after != "" {
		last, _ = strconv.Atoi(after) // one of ours
	}
	var records []mapping.Record
	for _, r := range s.history.Records {
		if r.id <= last || strconv.Itoa(s.history.shardOf(r.id)) != shard {
			continue
		}
		if len(records) == limit {
			return records, false, nil
		}
		id := strconv.Itoa(r.id)
		records = append(records, mapping.Record{SequenceNumber: id, PartitionKey: id, Data: []byte{r.kind}, Arrived: started()})
	}
	return records, true, nil
}

// started is when the clock of a bubble starts.
func started() time.Time { return time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) }

// Discard implements mapping.Destination.
func (s *simulation) Discard(_ context.Context, d mapping.Discarded) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range d.Records {
		id, _ := strconv.Atoi(r.SequenceNumber) // one of ours
		s.givenUp[id] = true
		if s.history.Retries == mapping.Endless && !s.history.Age {
			s.violate("lost", "record %d was given up", id)
		}
	}
	return nil
}

// violate keeps the first violation. The lock is held.
func (s *simulation) violate(invariant, format string, args ...any) {
	if s.violation == nil {
		s.violation = &violation{invariant, fmt.Sprintf(format, args...)}
	}
}

// A model of a version. What it predicts has its version in it.
type model struct {
	simulation *simulation
	version    int64
}

// current is the invocation that a batch is of, by its first record: no two have one at the same time.
func (s *simulation) current(sequence string) *invocation {
	s.mu.Lock()
	defer s.mu.Unlock()
	id, _ := strconv.Atoi(sequence) // one of ours
	for _, inv := range slices.Backward(s.invocations) {
		if slices.Contains(inv.ids, id) {
			return inv
		}
	}
	return nil
}

func (s *simulation) model() model { return model{s, s.version.Add(1)} }

// prediction is what is predicted for a record.
func prediction(id int, kind byte, version int64) string {
	padding := 0
	if kind == 'l' {
		padding = largest
	}
	return fmt.Sprintf(`"%d by %d%s"`, id, version, strings.Repeat("!", padding))
}

// Predict implements inference.Model.
func (m model) Predict(b *inference.Batch) error {
	b.RunID = strconv.FormatInt(m.version, 10)
	if len(b.Items) == 0 { // the end of a window
		return nil
	}
	inv := m.simulation.current(string(b.Items[0].Sequence))
	p := place{inv.shard, inv.number, "model", 0, 0}
	fault := m.simulation.history.fault(p, kinds["model"])
	if fault != 0 && fault != 'w' {
		m.simulation.services.inject(p, fault, inv)
	}
	switch fault {
	case 's':
		<-time.After(timeout - 200*time.Millisecond)
	case 'x':
		<-time.After(timeout + time.Second)
	case 'f':
		return errors.New("the model fails")
	}
	inv.version = m.version
	for i := range b.Items {
		id, _ := strconv.Atoi(string(b.Items[i].Sequence)) // one of ours
		if b.Items[i].Data[0] == 'b' {
			b.Reject(i, &inference.Rejection{Reason: inference.NotJSON, Detail: "it is bad"})
			continue
		}
		b.Messages = append(b.Messages, inference.Message{Key: string(b.Items[i].Key), Data: []byte(prediction(id, b.Items[i].Data[0], m.version))})
		b.Sent = append(b.Sent, i)
	}
	return nil
}

// invoke invokes the worker. A panic ends its process on Lambda, and a simulation here.
func (s *simulation) invoke(ctx context.Context, event []byte) (response []byte, err error) {
	defer func() {
		if why := recover(); why != nil {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.violate("panicked", "%v", why)
			err = fmt.Errorf("panic: %v", why)
		}
	}()
	return s.source.Invoke(ctx, event)
}

// Invoke implements mapping.Invoker: an invocation as Lambda makes it.
func (s *simulation) Invoke(ctx context.Context, event []byte) (mapping.Result, error) {
	var e events.KinesisTimeWindowEvent
	if err := json.Unmarshal(event, &e); err != nil {
		return mapping.Result{}, err
	}
	inv := &invocation{}
	if inv.shard, _ = strconv.Atoi(e.ShardID); len(e.Records) > 0 { // which the event of a window has
		first, _ := strconv.Atoi(e.Records[0].Kinesis.SequenceNumber) // one of ours
		inv.shard = s.history.shardOf(first)
	}
	for _, r := range e.Records {
		id, _ := strconv.Atoi(r.Kinesis.SequenceNumber) // one of ours
		inv.ids = append(inv.ids, id)
	}
	s.mu.Lock()
	inv.number = s.counts[inv.shard]
	s.counts[inv.shard]++
	s.invocations = append(s.invocations, inv)
	endless := len(s.invocations) > most
	if inv.shard == s.history.Shards {
		s.judgeParents()
	}
	s.mu.Unlock()
	if endless {
		return mapping.Result{}, errEndless
	}

	swap := place{inv.shard, inv.number, "model", 0, 0}
	if s.history.fault(swap, kinds["model"]) == 'w' {
		s.services.inject(swap, 'w', inv)
		s.engine.Use(s.model())
	}
	began := time.Now()
	ctx, inv.cancel = context.WithDeadline(context.WithValue(ctx, invocationKey{}, inv), began.Add(timeout))
	defer inv.cancel()
	response, err := s.invoke(ctx, event)
	late := time.Since(began) >= timeout

	answer := place{inv.shard, inv.number, "answer", 0, 0}
	if fault := s.history.fault(answer, kinds["answer"]); fault != 0 && !inv.dead() && !late {
		s.services.inject(answer, fault, inv)
		inv.kill()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if late && !s.services.took(place{inv.shard, inv.number, "model", 0, 0}, 'x') && !inv.dead() {
		s.violate("stuck", "invocation %d of shard %d took %v", inv.number, inv.shard, time.Since(began))
	}
	switch {
	case inv.dead() || late:
		return mapping.Result{FunctionError: "Unhandled"}, nil
	case err != nil:
		s.mayRefuse(inv, err.Error())
		return mapping.Result{FunctionError: "Unhandled"}, nil
	}
	s.judgeAnswer(inv, response)
	return mapping.Result{Payload: response}, nil
}
