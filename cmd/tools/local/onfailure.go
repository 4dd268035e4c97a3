package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"

	"github.com/skiff-ml/skiff/cmd/internal/lambdatest/mapping"
)

// onFailureFile is its name, in the folder of the logs.
const onFailureFile = "on-failure.jsonl"

// onFailure is the on-failure destination of the local stack's mapping: a file with the documents an S3 destination would get, one a line.
type onFailure struct {
	mu   sync.Mutex
	file io.Writer
	keys map[string]bool // partition keys of the records
}

var _ mapping.Destination = (*onFailure)(nil)

// Discard writes d.
func (f *onFailure) Discard(_ context.Context, d mapping.Discarded) error {
	line, err := json.Marshal(d)
	if err != nil {
		return fmt.Errorf("writing an on-failure document: %w", err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range d.Records {
		f.keys[r.PartitionKey] = true
	}
	if _, err := f.file.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("writing an on-failure document: %w", err)
	}
	return nil
}

// newOnFailure makes the destination, in an empty file; or behind what there is, to keep it.
func (st *stack) newOnFailure(keep bool) (*onFailure, error) {
	how := os.O_TRUNC
	if keep {
		how = os.O_APPEND
	}
	file, err := os.OpenFile(filepath.Join(st.logs, onFailureFile), os.O_CREATE|os.O_WRONLY|how, 0o600)
	if err != nil {
		return nil, fmt.Errorf("making the on-failure destination: %w", err)
	}
	st.closers = append(st.closers, func() { _ = file.Close() })
	return &onFailure{file: file, keys: map[string]bool{}}, nil
}
