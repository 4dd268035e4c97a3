package main

import (
	"context"
	"fmt"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/skiff-ml/skiff/cmd/tools/internal/measuring"
	"github.com/skiff-ml/skiff/inference"
	"github.com/skiff-ml/skiff/inference/source"
)

// A repetition of one batch size runs at least so long and so often; the sizes
// take turns, so that what the machine does meanwhile is in all of them.
const (
	repetitionTime   = 30 * time.Millisecond
	repetitionRounds = 2
	distinctEvents   = 4 // of each size, so that no one event stays in the processor's caches
)

// A Result is what one batch size costs.
type Result struct {
	Batch       int              `json:"batch"`         // records an invocation
	Payload     int              `json:"payload_bytes"` // an event
	Invocations int              `json:"invocations"`
	Record      measuring.Spread `json:"ns_per_record"` // the whole handler, over repetitions
	Stages      Stages           `json:"stages_ns_per_record"`
	P50         float64          `json:"p50_us"` // an invocation
	P99         float64          `json:"p99_us"`
	PerSecond   float64          `json:"records_per_s"` // of one core
	Allocs      float64          `json:"allocs_per_record"`
	Bytes       float64          `json:"bytes_per_record"` // allocated

	all []repetition
}

// Stages are the handler's, in ns a record, medians over repetitions.
type Stages struct {
	Decode  float64 `json:"decode"`
	Encode  float64 `json:"encode"`
	Score   float64 `json:"score"`
	Respond float64 `json:"respond"` // response and messages to publish
	Publish float64 `json:"publish"` // into the sink
}

// taken is a sink that takes everything at once, and counts it.
type taken struct{ records atomic.Int64 }

// Put implements [inference.Sink].
func (s *taken) Put(_ context.Context, messages []inference.Message) ([]int, error) {
	s.records.Add(int64(len(messages)))
	return nil, nil
}

// A series collects the repetitions of one batch size.
type series struct {
	batch       int
	events      []event
	next        int
	repetitions []repetition
	stages      [][]float64 // ns: decode, encode, score, respond, publish
	invocations []float64   // us
}

// A repetition is what one of them took, a record.
type repetition struct {
	rounds            int
	ns, allocs, bytes float64
}

func newSeries(records [][]byte, batch int) (*series, error) {
	made, err := eventsOf(records, batch, distinctEvents)
	if err != nil {
		return nil, err
	}
	return &series{batch: batch, events: made, stages: make([][]float64, 5)}, nil
}

// warm runs every event once and looks at the answers.
func (s *series) warm(ctx context.Context, h *source.Kinesis) error {
	for _, e := range s.events {
		response, err := h.Invoke(ctx, e.payload)
		if err != nil {
			return fmt.Errorf("handling a batch of %d: %w", s.batch, err)
		}
		if err := checkPredicted(e, response); err != nil {
			return err
		}
	}
	return nil
}

// repeat runs one repetition.
func (s *series) repeat(ctx context.Context, h *source.Kinesis) error {
	var before, after runtime.MemStats
	var sum inference.Timing
	var took time.Duration
	rounds := 0
	runtime.GC()
	runtime.ReadMemStats(&before)
	for took < repetitionTime || rounds < repetitionRounds {
		e := s.events[s.next%len(s.events)]
		s.next++
		began := time.Now()
		_, t, err := h.InvokeTimed(ctx, e.payload)
		once := time.Since(began)
		if err != nil {
			return fmt.Errorf("handling a batch of %d: %w", s.batch, err)
		}
		took += once
		rounds++
		sum.Decode += t.Decode
		sum.Encode += t.Encode
		sum.Score += t.Score
		sum.Respond += t.Respond
		sum.Publish += t.Publish
		s.invocations = append(s.invocations, float64(once)/1000)
	}
	runtime.ReadMemStats(&after)
	n := float64(rounds * s.batch)
	for i, d := range []time.Duration{sum.Decode, sum.Encode, sum.Score, sum.Respond, sum.Publish} {
		s.stages[i] = append(s.stages[i], float64(d)/n)
	}
	s.repetitions = append(s.repetitions, repetition{
		rounds: rounds, ns: float64(took) / n,
		allocs: float64(after.Mallocs-before.Mallocs) / n, bytes: float64(after.TotalAlloc-before.TotalAlloc) / n,
	})
	return nil
}

func (s *series) result() Result {
	var ns, allocs, bytes []float64
	for _, r := range s.repetitions {
		ns, allocs, bytes = append(ns, r.ns), append(allocs, r.allocs), append(bytes, r.bytes)
	}
	record := measuring.SpreadOf(ns)
	return Result{
		Batch:       s.batch,
		Payload:     len(s.events[0].payload),
		Invocations: len(s.invocations),
		Record:      record,
		Stages: Stages{
			Decode: measuring.Median(s.stages[0]), Encode: measuring.Median(s.stages[1]), Score: measuring.Median(s.stages[2]),
			Respond: measuring.Median(s.stages[3]), Publish: measuring.Median(s.stages[4]),
		},
		P50:       measuring.Quantile(s.invocations, 0.50),
		P99:       measuring.Quantile(s.invocations, 0.99),
		PerSecond: 1e9 / record.Median,
		Allocs:    measuring.Median(allocs),
		Bytes:     measuring.Median(bytes),
		all:       s.repetitions,
	}
}

// measure runs the handler on batches of each size, the sizes in turn.
func measure(ctx context.Context, h *source.Kinesis, records [][]byte, batches []int, repetitions int, progress func(string)) ([]Result, error) {
	all := make([]*series, len(batches))
	for i, batch := range batches {
		var err error
		if all[i], err = newSeries(records, batch); err != nil {
			return nil, err
		}
		if err := all[i].warm(ctx, h); err != nil {
			return nil, err
		}
	}
	for r := range repetitions {
		for _, s := range all {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			progress(fmt.Sprintf("repetition %d of %d, batches of %d", r+1, repetitions, s.batch))
			if err := s.repeat(ctx, h); err != nil {
				return nil, err
			}
		}
	}
	results := make([]Result, len(all))
	for i, s := range all {
		results[i] = s.result()
	}
	return results, nil
}
