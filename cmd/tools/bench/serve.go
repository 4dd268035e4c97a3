package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/skiff-ml/skiff/cmd/internal/lambdatest/runtimeapi"
	"github.com/skiff-ml/skiff/cmd/tools/internal/measuring"
	"github.com/skiff-ml/skiff/inference/hint"
)

const (
	servedRecords = 1_000_000
	servedBatch   = 1000
)

// A Serving is the worker itself, as a Lambda function, over a million
// records that it publishes through the AWS SDK to a server on this machine.
type Serving struct {
	Records    int     `json:"records"`
	Batch      int     `json:"batch"`
	CPUPerRec  float64 `json:"cpu_us_per_record"` // of the worker's process: HTTP, SDK and all
	WallPerRec float64 `json:"wall_us_per_record"`
	RSS        float64 `json:"rss_mb"` // at the end
	PeakRSS    float64 `json:"peak_rss_mb"`
}

// serve runs the worker as Lambda does.
func serve(ctx context.Context, worker, model string, records [][]byte, progress func(string)) (*Serving, error) {
	made, err := eventsOf(records, servedBatch, distinctEvents)
	if err != nil {
		return nil, err
	}
	kinesis, err := startKinesis(ctx)
	if err != nil {
		return nil, err
	}
	defer kinesis.Close()
	var process *exec.Cmd
	var log bytes.Buffer // a line each invocation; nobody reads it but after a failure
	function := runtimeapi.New(runtimeapi.Config{
		ARN: "arn:aws:lambda:us-east-1:000000000000:function:skiff",
		Command: func(api string) *exec.Cmd {
			process = exec.Command(worker) //nolint:noctx // the function stops it
			process.Env = append(os.Environ(), "MODEL_LOCATION="+model, "RUN_ID=", "TEST_RUN=False", "AWS_LAMBDA_RUNTIME_API="+api,
				"KINESIS_ENDPOINT_URL=http://"+kinesis.Addr, "AWS_REGION=us-east-1", "AWS_ACCESS_KEY_ID=none", "AWS_SECRET_ACCESS_KEY=none")
			process.Stderr = &log
			return process
		},
	})
	defer function.Close()
	if err := function.Start(ctx); err != nil {
		return nil, err
	}
	before, err := readConsumption(process.Process.Pid)
	if err != nil {
		return nil, err
	}
	began := time.Now()
	for done := 0; done < servedRecords; done += servedBatch {
		if done%(servedRecords/20) == 0 {
			progress(fmt.Sprintf("serving %d of %d records", done, servedRecords))
		}
		result, err := function.Invoke(ctx, made[done/servedBatch%len(made)].payload)
		if err != nil {
			return nil, fmt.Errorf("serving: %w", err)
		}
		if result.FunctionError != "" || bytes.Contains(result.Payload, []byte("batchItemFailures")) {
			return nil, fmt.Errorf("serving: the worker failed: %.200s; it logged %.2000s", result.Payload, log.Bytes())
		}
	}
	wall := time.Since(began)
	after, err := readConsumption(process.Process.Pid)
	if err != nil {
		return nil, err
	}
	if got := kinesis.records.Load(); got != servedRecords {
		return nil, fmt.Errorf("serving: %d of %d records were published", got, servedRecords)
	}
	return &Serving{
		Records: servedRecords, Batch: servedBatch,
		CPUPerRec:  (after.cpu - before.cpu).Seconds() * 1e6 / servedRecords,
		WallPerRec: wall.Seconds() * 1e6 / servedRecords,
		RSS:        after.rss, PeakRSS: after.peak,
	}, nil
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

// A kinesis is a server that takes every PutRecords and keeps nothing.
type kinesis struct {
	*http.Server
	records atomic.Int64
}

func startKinesis(ctx context.Context) (*kinesis, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listening for predictions: %w", err)
	}
	k := &kinesis{}
	k.Server = &http.Server{Addr: listener.Addr().String(), Handler: k, ReadHeaderTimeout: time.Minute}
	go k.Serve(listener) //nolint:errcheck // ends with Close
	return k, nil
}

// ServeHTTP answers a PutRecords request of AWS's JSON protocol.
func (k *kinesis) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil || !strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".PutRecords") {
		http.Error(w, "only PutRecords", http.StatusBadRequest)
		return
	}
	n := bytes.Count(body, []byte(`"PartitionKey":`))
	k.records.Add(int64(n))
	const taken = `{"SequenceNumber":"49641801370286448471783931287578672283018518126072430594","ShardId":"shardId-000000000000"}`
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	fmt.Fprintf(w, `{"FailedRecordCount":0,"Records":[%s]}`, strings.Repeat(taken+",", n-1)+taken)
}
