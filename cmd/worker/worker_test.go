package main

import (
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/skiff-ml/skiff/cmd/internal/transcripts"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"worker": main})
}

// The scripts of testdata are sessions with the worker, on the shipped runs.
func TestWorker(t *testing.T) { transcripts.Run(t) }
