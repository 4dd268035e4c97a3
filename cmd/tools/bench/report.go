package main

import (
	"encoding/json"
	"fmt"
	"io"
	"runtime"

	"github.com/skiff-ml/skiff/cmd/tools/internal/measuring"
	"github.com/skiff-ml/skiff/inference/bundle"
	"github.com/skiff-ml/skiff/inference/ort"
)

// A Report is all that was measured, and where.
type Report struct {
	RunID       string         `json:"run_id"`
	Estimator   string         `json:"estimator"`
	Lowering    string         `json:"lowering"`
	CPU         string         `json:"cpu"`
	OS          string         `json:"os"`
	GOMAXPROCS  int            `json:"gomaxprocs"`
	Threads     int            `json:"onnxruntime_threads"`
	Go          string         `json:"go"`
	ONNXRuntime string         `json:"onnxruntime"`
	Records     int            `json:"distinct_records"`
	Repetitions int            `json:"repetitions"`
	Results     []Result       `json:"results"`
	Drift       *Drift         `json:"drift,omitempty"`
	Beside      *Beside        `json:"beside,omitempty"`
	Cold        *ColdStart     `json:"cold_start,omitempty"`
	Serving     *Serving       `json:"serving,omitempty"`
	Otherwise   []*Serving     `json:"serving_otherwise,omitempty"` // the same records, published in other ways
	Costs       []Cost         `json:"lambda_costs"`
	Recommended Recommendation `json:"recommended"`
}

func newReport(s *settings, b *bundle.Bundle, records int) *Report {
	return &Report{
		RunID: b.Manifest.RunID, Estimator: b.Manifest.Estimator, Lowering: b.Manifest.Lowering,
		CPU: measuring.CPU(), OS: runtime.GOOS + "/" + runtime.GOARCH, GOMAXPROCS: s.procs, Threads: 1,
		Go: runtime.Version(), ONNXRuntime: ort.Version(), Records: records, Repetitions: s.repetitions,
	}
}

func writeJSON(w io.Writer, r *Report) error {
	return json.NewEncoder(w).Encode(r)
}

// writeGoBench writes what `go test -bench -count` would, a line a repetition:
// the spread is for benchstat to find.
func writeGoBench(w io.Writer, r *Report) error {
	fmt.Fprintf(w, "goos: %s\ngoarch: %s\npkg: skiff\ncpu: %s\nrun: %s\nlowering: %s\nonnxruntime: %s\n\n",
		runtime.GOOS, runtime.GOARCH, r.CPU, r.RunID, r.Lowering, r.ONNXRuntime)
	for _, result := range r.Results {
		batch := float64(result.Batch)
		for _, one := range result.all {
			_, err := fmt.Fprintf(w, "BenchmarkHandler/batch=%d-%d\t%d\t%.0f ns/op\t%.1f ns/record\t%.0f B/op\t%.1f allocs/op\n",
				result.Batch, r.GOMAXPROCS, one.rounds, one.ns*batch, one.ns, one.bytes*batch, one.allocs*batch)
			if err != nil {
				return err
			}
		}
	}
	return nil
}
