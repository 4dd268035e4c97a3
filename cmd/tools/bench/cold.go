package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"

	"github.com/skiff-ml/skiff/cmd/tools/internal/measuring"
	"github.com/skiff-ml/skiff/inference/hint"
)

// coldStarts is how many times the worker is started. Its files are in the
// system's cache.
const coldStarts = 9

// A ColdStart is how long the worker takes from the start of its process to
// its first answer, and for what. The parts are the medians' own, so that they
// need not add up.
type ColdStart struct {
	FirstAnswer measuring.Spread `json:"first_answer_ms"`
	Process     float64          `json:"process_ms"`     // the program, the Go runtime, the event, the answer
	Bundle      float64          `json:"bundle_ms"`      // read, checksums verified
	ONNXRuntime float64          `json:"onnxruntime_ms"` // the shared library
	Model       float64          `json:"model_ms"`       // the graph into onnxruntime
	Goldens     float64          `json:"goldens_ms"`     // replayed
}

// ready is the line that the worker logs when it has loaded.
type ready struct {
	Msg         string
	Bundle      float64 `json:"bundle_ms"`
	ONNXRuntime float64 `json:"onnxruntime_ms"`
	Model       float64 `json:"model_ms"`
	Goldens     float64 `json:"goldens_ms"`
}

// coldStart starts the worker again and again, each time for one event.
func coldStart(ctx context.Context, worker, model string, e event, progress func(string)) (*ColdStart, error) {
	var answers, process, bundle, library, graph, goldens []float64
	for i := range coldStarts {
		progress(fmt.Sprintf("cold start %d of %d", i+1, coldStarts))
		answer, r, err := startOnce(ctx, worker, model, e)
		if err != nil {
			return nil, fmt.Errorf("starting %s: %w", worker, err)
		}
		ms := float64(answer) / 1e6
		answers = append(answers, ms)
		process = append(process, ms-r.Bundle-r.ONNXRuntime-r.Model-r.Goldens)
		bundle = append(bundle, r.Bundle)
		library = append(library, r.ONNXRuntime)
		graph = append(graph, r.Model)
		goldens = append(goldens, r.Goldens)
	}
	return &ColdStart{
		FirstAnswer: measuring.SpreadOf(answers), Process: measuring.Median(process), Bundle: measuring.Median(bundle),
		ONNXRuntime: measuring.Median(library), Model: measuring.Median(graph), Goldens: measuring.Median(goldens),
	}, nil
}

// startOnce runs the worker for one event and returns the time to its answer.
func startOnce(ctx context.Context, worker, model string, e event) (time.Duration, ready, error) {
	var r ready
	cmd := exec.CommandContext(ctx, worker, "-event", "-")
	cmd.Env = append(os.Environ(), "MODEL_LOCATION="+model, "RUN_ID=", "TEST_RUN=True")
	cmd.Stdin = bytes.NewReader(e.payload)
	var log bytes.Buffer
	cmd.Stderr = &log
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 0, r, err
	}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, r, err
	}
	_, readErr := bufio.NewReader(out).ReadByte()
	took := time.Since(began)
	_, copyErr := io.Copy(io.Discard, out)
	if err := errors.Join(cmd.Wait(), readErr, copyErr); err != nil {
		return 0, r, hint.With(err, firstLine(log.String()))
	}
	for line := range bytes.Lines(log.Bytes()) {
		if json.Unmarshal(line, &r) == nil && r.Msg == "ready" {
			return took, r, nil
		}
	}
	return 0, r, errors.New("it did not log what it loaded")
}

func firstLine(s string) string {
	line, _, _ := bytes.Cut([]byte(s), []byte("\n"))
	return string(line)
}
