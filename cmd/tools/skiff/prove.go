package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"skiff/inference/hint"
)

// proofTime is what a proof may take: a large bundle over a slow line.
const proofTime = 5 * time.Minute

// prove has a worker load a run's bundle, from where the workers will, and replay
// its goldens.
func (s *settings) prove(ctx context.Context, at *place, run string) error {
	program, err := s.findWorker()
	if err != nil {
		return err
	}
	location, _, err := at.bundle(run)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, proofTime)
	defer cancel()
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, program, "-check")
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.Env = append(slices.DeleteFunc(os.Environ(), isWorkers), "RUN_ID="+run, "MODEL_LOCATION="+location)
	fmt.Fprintf(s.stderr, "proving run %s\n", run)
	if err := cmd.Run(); err != nil {
		return notProved(ctx, run, stderr.String(), err)
	}
	fmt.Fprint(s.stderr, stdout.String())
	return nil
}

// notProved is why the worker did not start, in its own words.
func notProved(ctx context.Context, run, said string, err error) error {
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
	if why == "" {
		why = err.Error()
	}
	if ctx.Err() != nil {
		why = context.Cause(ctx).Error()
	}
	err = fmt.Errorf("run %s is not proved, the alias stays where it is: %s", run, why)
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

// findWorker returns the worker's program: the one that the flag names, or else
// that beside this program, or else that in PATH.
func (s *settings) findWorker() (string, error) {
	name := s.worker
	if name == "" {
		name = "worker"
		if self, err := os.Executable(); err == nil {
			if beside := filepath.Join(filepath.Dir(self), name); isFile(beside) {
				return beside, nil
			}
		}
	}
	program, err := exec.LookPath(name)
	if err != nil {
		return "", hint.With(errors.Join(errors.New("there is no worker to prove the run with"), err), "--worker names it; `make .build/bin/worker` builds it")
	}
	return program, nil
}

func isFile(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.Mode().IsRegular()
}
