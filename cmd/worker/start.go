package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"skiff/inference/hint"
	"skiff/inference/limits"
)

// initMargin is left of what Lambda gives a function to start, to be told what went wrong.
const initMargin = time.Second

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
	w, err := load(timed, getenv, log, publishes)
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
