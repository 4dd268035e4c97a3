package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/skiff-ml/skiff/cmd/internal/lambdatest/ministack"
	"github.com/skiff-ml/skiff/cmd/internal/localstate"
)

// skiff runs the command that moves the alias, as a person would, and returns
// all that it says.
func (r *rehearsal) skiff(ctx context.Context, args ...string) (string, error) {
	s := r.settings
	cmd := exec.CommandContext(ctx, s.skiff, args...)
	cmd.Dir = r.temp
	cmd.Env = []string{
		"MODEL_BUCKET=" + localstate.ModelBucket, "MLFLOW_EXPERIMENT_ID=" + s.experiment, "AWS_ENDPOINT_URL=" + r.ministack.Endpoint,
		"AWS_REGION=" + ministack.Region, "AWS_ACCESS_KEY_ID=" + ministack.AccessKey, "AWS_SECRET_ACCESS_KEY=" + ministack.AccessKey,
		"ONNXRUNTIME_LIB=" + s.onnxruntime, "HOME=" + r.temp, "PATH=/usr/local/bin:/usr/bin:/bin",
	}
	if args[0] != "history" {
		cmd.Args = append(cmd.Args, "--worker", s.worker)
	}
	said, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(said)), err
}

func (r *rehearsal) promote(ctx context.Context, run string) error {
	if said, err := r.skiff(ctx, "promote", run); err != nil {
		return fmt.Errorf("skiff promote %s: %w: %s", run, err, said)
	}
	r.out.Promotes++
	return nil
}

func (r *rehearsal) rollback(ctx context.Context) error {
	if said, err := r.skiff(ctx, "rollback"); err != nil {
		return fmt.Errorf("skiff rollback: %w: %s", err, said)
	}
	r.out.Rollbacks++
	return nil
}

// serves waits until a run's model serves.
func (r *rehearsal) serves(ctx context.Context, run string) error {
	return r.until(ctx, "run "+run+" to serve", func() bool { return r.load.latest() == run })
}

// refuses waits until the worker says why it does not change the model, and that
// this has not kept it from serving on: the run that it served.
func (r *rehearsal) refuses(ctx context.Context, why, serving string) error {
	err := r.until(ctx, "the worker to say "+why, func() bool {
		for line := range r.logged() {
			var said struct{ Msg, Error, Hint string }
			if json.Unmarshal(line, &said) == nil && said.Msg == "model not changed" && strings.Contains(said.Error, why) && said.Hint != "" {
				return true
			}
		}
		return false
	})
	if err != nil {
		return err
	}
	r.out.Refused++
	n := r.load.invocations.Load()
	if err := r.until(ctx, "two more invocations", func() bool { return r.load.invocations.Load() >= n+2 }); err != nil {
		return err
	}
	if now := r.load.latest(); now != serving {
		return fmt.Errorf("run %s serves, and %s should", now, serving)
	}
	return nil
}

// logged are the lines of the worker's log that were not there before.
func (r *rehearsal) logged() func(func([]byte) bool) {
	text, err := os.ReadFile(filepath.Join(r.logs, "worker.log"))
	if err != nil || len(text) < r.read {
		return func(func([]byte) bool) {}
	}
	text = text[r.read : bytes.LastIndexByte(text, '\n')+1]
	r.read += len(text)
	return bytes.Lines(text)
}

// until waits for something.
func (r *rehearsal) until(ctx context.Context, what string, ok func() bool) error {
	ctx, cancel := context.WithTimeoutCause(ctx, swapPatience, fmt.Errorf("waited %v for %s", swapPatience, what))
	defer cancel()
	tick := time.NewTicker(swapPoll)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}
