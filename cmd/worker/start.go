package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/skiff-ml/skiff/inference/hint"
	"github.com/skiff-ml/skiff/inference/limits"
)

// initMargin is left of what Lambda gives a function to start, to be told what went wrong.
const initMargin = time.Second

// lastWords is what a start that is over may still take to say where it was.
const lastWords = 200 * time.Millisecond

// startTime is what loading may take outside Lambda.
const startTime = time.Minute

// initTime returns what loading may take in Lambda, by the value of
// AWS_LAMBDA_INITIALIZATION_TYPE.
func initTime(kind string) time.Duration {
	switch kind {
	case "provisioned-concurrency", "snap-start", "lambda-managed-instances":
		return limits.LongInitTime - initMargin
	default: // on-demand, and what is not known yet
		return limits.InitTime - initMargin
	}
}

// start is load, in time.
func start(ctx context.Context, getenv func(string) string, log *slog.Logger, publishes bool, most time.Duration) (*worker, error) {
	timed, cancel := context.WithTimeoutCause(ctx, most, fmt.Errorf("starting took longer than %v", most))
	defer cancel()
	w, err := loadUntil(timed, func() (*worker, error) { return load(timed, getenv, log, publishes) })
	switch {
	case err == nil:
		return w, nil
	case ctx.Err() != nil:
		return nil, fmt.Errorf("stopped while starting: %w: %w", context.Cause(ctx), err)
	case errors.Is(timed.Err(), context.DeadlineExceeded):
		return nil, hint.With(fmt.Errorf("%w: %w", context.Cause(timed), err),
			"is there a way from the function to S3? in a VPC it needs an endpoint; or put the bundle in the image")
	}
	return nil, err
}

// loadUntil returns what load does, or that its time is up: onnxruntime knows of
// no signal and no time. A worker that is loaded after that is left to the end
// of the process, which is near.
func loadUntil(ctx context.Context, load func() (*worker, error)) (*worker, error) {
	type loaded struct {
		worker *worker
		err    error
	}
	done := make(chan loaded, 1)
	go func() {
		w, err := load()
		done <- loaded{w, err}
	}()
	select {
	case l := <-done:
		return l.worker, l.err
	case <-ctx.Done():
	}
	select {
	case l := <-done: // what waited for S3 knows more
		return l.worker, l.err
	case <-time.After(lastWords):
		return nil, ctx.Err()
	}
}
