package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"

	"github.com/skiff-ml/skiff/cmd/internal/lambdatest/mapping"
	"github.com/skiff-ml/skiff/cmd/internal/lambdatest/runtimeapi"
	"github.com/skiff-ml/skiff/cmd/internal/localstate"
	"github.com/skiff-ml/skiff/cmd/tools/internal/taxi"
	"github.com/skiff-ml/skiff/inference/limits"
)

// The rate at which rides come.
const (
	ridesATime = 25
	rideEvery  = 25 * time.Millisecond
)

// load is rides that come at a constant rate, and what the worker answers.
type load struct {
	function  *runtimeapi.Function
	rides     []taxi.Ride // again and again
	reference map[string][]float64

	produced, invocations, failed atomic.Int64
	answered                      atomic.Int64 // rides, each once
	slowest                       atomic.Int64 // ms
	mixed                         atomic.Int64 // invocations with predictions of two runs
	serving                       atomic.Pointer[string]

	mu   sync.Mutex
	seen map[int]bool // the rides that are answered
}

var _ mapping.Invoker = (*load)(nil)

// newLoad reads the rides, and both pipelines' own predictions for them.
func newLoad(s settings) (*load, error) {
	l := &load{reference: map[string][]float64{}, seen: map[int]bool{}}
	var err error
	if l.rides, err = taxi.ReadRides(s.rides, s.n); err != nil {
		return nil, err
	}
	for _, run := range []string{s.runID, s.other} {
		reference, err := taxi.ReadPredictions(s.predictions, run, s.n)
		if err != nil {
			return nil, err
		}
		if len(reference) < s.n {
			return nil, fmt.Errorf("%s has predictions of run %s for %d rides, not %d", shown(s.predictions), run, len(reference), s.n)
		}
		l.reference[run] = reference
	}
	return l, nil
}

// produce puts rides until ctx ends.
func (l *load) produce(ctx context.Context, client *kinesis.Client) error {
	tick := time.NewTicker(rideEvery)
	defer tick.Stop()
	for first := 0; ; first += ridesATime {
		records := make([][]byte, ridesATime)
		for i := range records {
			var err error
			if records[i], err = l.rides[(first+i)%len(l.rides)].Record(first + i); err != nil {
				return err
			}
		}
		if err := putRides(context.WithoutCancel(ctx), client, records, first); err != nil {
			return err
		}
		l.produced.Add(ridesATime)
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// latest is the run of the last predictions, "" before the first.
func (l *load) latest() string {
	if run := l.serving.Load(); run != nil {
		return *run
	}
	return ""
}

// Invoke invokes the worker.
func (l *load) Invoke(ctx context.Context, event []byte) (mapping.Result, error) {
	began := time.Now()
	result, err := l.function.Invoke(ctx, event)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.invocations.Add(1)
	l.slowest.Store(max(l.slowest.Load(), time.Since(began).Milliseconds()))
	var response struct {
		Predictions []prediction
		Failures    []any `json:"batchItemFailures"`
	}
	if err == nil && (result.FunctionError != "" || json.Unmarshal(result.Payload, &response) != nil || len(response.Failures) > 0) {
		l.failed.Add(1)
	}
	for _, p := range response.Predictions {
		if p.Version != response.Predictions[0].Version {
			l.mixed.Add(1)
			break
		}
		l.serving.Store(&p.Version)
		if id := p.Prediction.ID; id != nil && !l.seen[*id] {
			l.seen[*id] = true
			l.answered.Add(1)
		}
	}
	return mapping.Result(result), err
}

// A prediction is what is read of one.
type prediction struct {
	Version    string
	Prediction struct {
		Minutes float64 `json:"ride_duration"`
		ID      *int    `json:"ride_id"`
	}
}

// collect reads the predictions that were published, each compared with its own
// pipeline's. A ride that was put twice, since the answer to the first time got
// lost, has two.
func (l *load) collect(ctx context.Context, client *kinesis.Client, out *swapResult) error {
	out.Produced, out.Invocations, out.FailedInvocations = int(l.produced.Load()), int(l.invocations.Load()), int(l.failed.Load())
	out.SlowestMS, out.Wrong = int(l.slowest.Load()), int(l.mixed.Load())
	puts, copies := make([]int, out.Produced), make([]int, out.Produced)
	err := readAll(ctx, client, localstate.RidesStream, func(r mapping.Record) {
		if id, err := strconv.Atoi(r.PartitionKey); err == nil && id < len(puts) {
			puts[id]++
		}
	})
	if err != nil {
		return err
	}
	if err := readAll(ctx, client, localstate.PredictionsStream, func(r mapping.Record) { l.count(r.Data, copies, out) }); err != nil {
		return err
	}
	for id, n := range copies {
		if n == 0 {
			out.Lost++
		}
		out.Duplicates += max(n-puts[id], 0)
	}
	return nil
}

// readAll reads a stream to what is its end now.
func readAll(ctx context.Context, client *kinesis.Client, stream string, each func(mapping.Record)) error {
	source := mapping.NewSource(client, stream)
	shards, err := source.Shards(ctx)
	if err != nil {
		return fmt.Errorf("listing the shards of %s: %w", stream, err)
	}
	for _, shard := range shards {
		for after := ""; ; {
			records, _, err := source.Read(ctx, shard.ID, after, limits.GetRecords)
			if err != nil {
				return fmt.Errorf("reading %s of %s: %w", shard.ID, stream, err)
			}
			if len(records) == 0 {
				break
			}
			for _, r := range records {
				each(r)
			}
			after = records[len(records)-1].SequenceNumber
		}
	}
	return nil
}

func (l *load) count(data []byte, copies []int, out *swapResult) {
	var p prediction
	if json.Unmarshal(data, &p) != nil || p.Prediction.ID == nil || *p.Prediction.ID < 0 || *p.Prediction.ID >= len(copies) {
		out.Wrong++
		return
	}
	id := *p.Prediction.ID
	copies[id]++
	out.PredictionsByRun[p.Version]++
	reference := l.reference[p.Version]
	if reference == nil || math.Float64bits(reference[id%len(reference)]) != math.Float64bits(p.Prediction.Minutes) {
		out.Wrong++
	}
}

// swapResult is the last line of the swap command.
type swapResult struct {
	Promotes          int            `json:"promotes"`
	Refused           int            `json:"refused"` // by the command, or by the worker
	Rollbacks         int            `json:"rollbacks"`
	Lost              int            `json:"lost"`
	FailedInvocations int            `json:"failed_invocations"`
	PredictionsByRun  map[string]int `json:"predictions_by_run"`
	Wrong             int            `json:"wrong"` // not what the pipeline of their run predicts
	Duplicates        int            `json:"duplicates"`
	Produced          int            `json:"produced"`
	Invocations       int            `json:"invocations"`
	SlowestMS         int            `json:"slowest_ms"` // of the invocations
	Seconds           float64        `json:"seconds"`
}

func (r *swapResult) print(w io.Writer) error {
	r.Seconds = math.Round(r.Seconds*100) / 100
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%s\n", line)
	return err
}

func (r *swapResult) verdict() error {
	if r.Lost+r.FailedInvocations+r.Wrong+r.Duplicates > 0 {
		return fmt.Errorf("%d rides are lost, %d invocations failed, %d predictions are wrong, %d came twice", r.Lost, r.FailedInvocations, r.Wrong, r.Duplicates)
	}
	if len(r.PredictionsByRun) != 2 {
		return fmt.Errorf("predictions are of %d runs, not 2", len(r.PredictionsByRun))
	}
	return nil
}
