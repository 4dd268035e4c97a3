package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/skiff-ml/skiff/inference/hint"
)

// proofTime is what a proof may take: a large bundle over a slow line.
const proofTime = 5 * time.Minute

func (s *settings) workerFlag(cmd *cobra.Command) {
	cmd.Flags().StringVar(&s.worker, "worker", "", "the worker's program (default: beside skiff, in the checkout, or in PATH)")
}

// prove has a worker load a run's bundle, from where the workers will, and replay
// its goldens.
func (s *settings) prove(ctx context.Context, at *place, run string) error {
	b, err := at.named(run)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, proofTime)
	defer cancel()
	fmt.Fprintf(s.stderr, "proving run %s\n", run)
	ran, err := s.runWorker(ctx, job{bundle: b, args: []string{"-check"}, stdout: s.stderr})
	if err != nil && ran {
		return fmt.Errorf("run %s is not proved, the alias stays where it is: %w", run, err)
	}
	return err
}

// A job is what a worker is run for.
type job struct {
	bundle *named // nil: what the variables say
	args   []string
	env    []string // beside this program's own variables and the bundle's
	stdout io.Writer
	log    io.Writer // nil: nowhere
	ended  func(*os.ProcessState)
}

// runWorker runs the worker's program for a job, and reports whether it ran. What
// goes wrong comes back in the worker's own words.
func (s *settings) runWorker(ctx context.Context, j job) (ran bool, err error) {
	program, err := s.findWorker()
	if err != nil {
		return false, err
	}
	var stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, program, j.args...)
	cmd.Stdout, cmd.Stderr = j.stdout, &stderr
	if j.log != nil {
		cmd.Stderr = io.MultiWriter(&stderr, j.log)
	}
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // it finishes what is under way
	cmd.WaitDelay = waitDelay
	cmd.Env = os.Environ()
	if j.bundle != nil {
		cmd.Env = append(slices.DeleteFunc(cmd.Env, isWorkers), "RUN_ID="+j.bundle.run, "MODEL_LOCATION="+j.bundle.location)
	}
	cmd.Env = append(cmd.Env, j.env...)
	err = cmd.Run()
	if j.ended != nil {
		j.ended(cmd.ProcessState)
	}
	if err != nil {
		return true, inItsWords(ctx, stderr.String(), err)
	}
	return true, nil
}

// waitDelay is what a worker may take to end when it is told to.
const waitDelay = 5 * time.Second

// inItsWords is why the worker failed, as it says.
func inItsWords(ctx context.Context, said string, err error) error {
	why, advice := "", ""
	for line := range strings.Lines(said) {
		line = strings.TrimSpace(line)
		if text, ok := strings.CutPrefix(line, "worker: error: "); ok {
			why = text
		}
		if text, ok := strings.CutPrefix(line, "hint: "); ok {
			advice = text
		}
	}
	switch {
	case ctx.Err() != nil:
		err = context.Cause(ctx)
	case why != "":
		err = errors.New(why)
	default:
		err = fmt.Errorf("the worker: %w", err)
	}
	if advice == "" {
		return err
	}
	return hint.With(err, advice)
}

// isWorkers reports whether a variable says which bundle a worker serves, or how:
// that is said anew.
func isWorkers(variable string) bool {
	name, _, _ := strings.Cut(variable, "=")
	return slices.Contains([]string{"RUN_ID", "MODEL_LOCATION", "MODEL_BUCKET", "AWS_LAMBDA_RUNTIME_API", "SHADOW_RUN_ID", "CANARY", "DEAD_LETTER"}, name)
}

// findWorker returns the worker's program.
func (s *settings) findWorker() (string, error) {
	program, err := findProgram("worker", s.worker)
	if err != nil {
		return "", hint.With(errors.Join(errors.New("there is no worker to load the bundle with"), err), "--worker names it; `make .build/bin/worker` builds it")
	}
	return program, nil
}
