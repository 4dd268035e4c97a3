package main

import (
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
