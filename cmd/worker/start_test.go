package main

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"
)

func TestInitTime(t *testing.T) {
	for kind, want := range map[string]time.Duration{
		"on-demand":                9 * time.Second,
		"provisioned-concurrency":  129 * time.Second,
		"snap-start":               129 * time.Second,
		"lambda-managed-instances": 129 * time.Second,
		"":                         9 * time.Second,
		"another":                  9 * time.Second,
	} {
		if got := initTime(kind); got != want {
			t.Errorf("%q: %v, want %v", kind, got, want)
		}
	}
}

// A worker that is stopped before it serves says so.
func TestStoppedWhileStarting(t *testing.T) {
	ctx, stop := context.WithCancelCause(t.Context())
	stop(errors.New("terminated signal received"))
	_, err := start(ctx, noVariables, slog.New(slog.DiscardHandler), false, startTime)
	if err == nil || !strings.HasPrefix(err.Error(), "stopped while starting: terminated signal received: ") {
		t.Errorf("got %v", err)
	}
}
