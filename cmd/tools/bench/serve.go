package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/skiff-ml/skiff/cmd/internal/lambdatest/runtimeapi"
	"github.com/skiff-ml/skiff/cmd/tools/internal/measuring"
	"github.com/skiff-ml/skiff/inference/hint"
)

const (
	servedRecords = 1_000_000
	servedBatch   = 1000
	servedTurn    = 50_000 // records that a worker is given before it is another's turn
)

// A Serving is the worker itself, as a Lambda function, over a million
// records that it publishes to a server on this machine.
type Serving struct {
	TLS         bool    `json:"tls"`
	Aggregation string  `json:"aggregation"` // OUTPUT_AGGREGATION
	Records     int     `json:"records"`
	Batch       int     `json:"batch"`
	CPUPerRec   float64 `json:"cpu_us_per_record"` // of the worker's process: HTTP, TLS and all
	WallPerRec  float64 `json:"wall_us_per_record"`
	RSS         float64 `json:"rss_mb"` // at the end
	PeakRSS     float64 `json:"peak_rss_mb"`
}

// serve runs workers as Lambda does, one for each way to publish, in turns. The
// first has neither TLS nor aggregation.
func serve(ctx context.Context, worker, model string, records [][]byte, progress func(string)) (servings []*Serving, err error) {
	made, err := eventsOf(records, servedBatch, distinctEvents)
	if err != nil {
		return nil, err
	}
	var all []*server
	defer func() {
		for _, s := range all {
			err = errors.Join(err, s.close())
		}
	}()
	for _, aggregation := range []string{"off", "kpl"} {
		for _, tls := range []bool{false, true} {
			s, err := startServer(ctx, worker, model, &Serving{TLS: tls, Aggregation: aggregation, Batch: servedBatch})
			if err != nil {
				return nil, err
			}
			all = append(all, s)
		}
	}
	for done := 0; done < servedRecords; done += servedTurn {
		for _, s := range all {
			progress(fmt.Sprintf("serving %d of %d records", done, servedRecords))
			if err := s.serve(ctx, made); err != nil {
				return nil, fmt.Errorf("serving: %w", err)
			}
		}
	}
	for _, s := range all {
		serving, err := s.result()
		if err != nil {
			return nil, err
		}
		servings = append(servings, serving)
	}
	return servings, nil
}

// A server is a worker that serves, and the stream that it publishes to.
type server struct {
	stream   *stream
	function *runtimeapi.Function
	process  *exec.Cmd
	log      bytes.Buffer // a line each invocation; nobody reads it but after a failure
	started  consumption
	wall     time.Duration
	serving  *Serving
}

func startServer(ctx context.Context, worker, model string, way *Serving) (*server, error) {
	published, err := startStream(way.TLS)
	if err != nil {
		return nil, err
	}
	s := &server{stream: published, serving: way}
	s.function = runtimeapi.New(runtimeapi.Config{
		ARN: "arn:aws:lambda:us-east-1:000000000000:function:skiff",
		Command: func(api string) *exec.Cmd {
			s.process = exec.Command(worker) //nolint:noctx // the function stops it
			s.process.Env = append(os.Environ(), "MODEL_LOCATION="+model, "RUN_ID=", "TEST_RUN=False", "AWS_LAMBDA_RUNTIME_API="+api,
				"OUTPUT_AGGREGATION="+way.Aggregation)
			s.process.Env = append(s.process.Env, s.stream.environment()...)
			s.process.Stderr = &s.log
			return s.process
		},
	})
	if err = s.function.Start(ctx); err == nil {
		s.started, err = readConsumption(s.process.Process.Pid)
	}
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func (s *server) close() error {
	s.function.Close()
	return s.stream.Close()
}

// serve has the worker handle a turn's records.
func (s *server) serve(ctx context.Context, made []event) error {
	began := time.Now()
	for range servedTurn / servedBatch {
		result, err := s.function.Invoke(ctx, made[s.serving.Records/servedBatch%len(made)].payload)
		if err != nil {
			return err
		}
		if result.FunctionError != "" || bytes.Contains(result.Payload, []byte("batchItemFailures")) {
			return fmt.Errorf("the worker failed: %.200s; it logged %.2000s", result.Payload, s.log.Bytes())
		}
		s.serving.Records += servedBatch
	}
	s.wall += time.Since(began)
	return nil
}

// result is what the worker used.
func (s *server) result() (*Serving, error) {
	used, err := readConsumption(s.process.Process.Pid)
	if err != nil {
		return nil, err
	}
	records := s.serving.Records
	if got := s.stream.predictions.Load(); got != int64(records) {
		return nil, fmt.Errorf("serving: %d of %d records were published", got, records)
	}
	s.serving.CPUPerRec = (used.cpu - s.started.cpu).Seconds() * 1e6 / float64(records)
	s.serving.WallPerRec = s.wall.Seconds() * 1e6 / float64(records)
	s.serving.RSS, s.serving.PeakRSS = used.rss, used.peak
	return s.serving, nil
}

// A consumption is what a process has used.
type consumption struct {
	cpu       time.Duration
	rss, peak float64 // MB
}

// readConsumption reads it from /proc, which Linux has; man 5 proc.
func readConsumption(pid int) (consumption, error) {
	var u consumption
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return u, hint.With(fmt.Errorf("reading what the worker used: %w", err), "this needs Linux; -serve=false leaves it out")
	}
	const ticksPerSecond = 100 // USER_HZ
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	for _, ticks := range fields[11:13] { // utime, stime
		n, err := strconv.Atoi(ticks)
		if err != nil {
			return u, fmt.Errorf("reading what the worker used: %w", err)
		}
		u.cpu += time.Duration(n) * time.Second / ticksPerSecond
	}
	if u.rss, err = measuring.Memory(pid, "VmRSS"); err != nil {
		return u, err
	}
	if u.peak, err = measuring.Memory(pid, "VmHWM"); err != nil {
		return u, err
	}
	return u, nil
}
