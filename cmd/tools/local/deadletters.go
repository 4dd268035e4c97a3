package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"sync"

	"skiff/cmd/internal/lambdatest/mapping"
)

// deadLetters is the on-failure destination of the local stack: a file with the documents an S3 destination would get, one a line.
type deadLetters struct {
	mu   sync.Mutex
	file io.Writer
	keys map[string]bool // partition keys of the records
}

var _ mapping.Destination = (*deadLetters)(nil)

// Discard writes d.
func (l *deadLetters) Discard(_ context.Context, d mapping.Discarded) error {
	line, err := json.Marshal(d)
	if err != nil {
		return fmt.Errorf("writing an on-failure document: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range d.Records {
		l.keys[r.PartitionKey] = true
	}
	if _, err := l.file.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("writing an on-failure document: %w", err)
	}
	return nil
}

func (st *stack) newDeadLetters() (*deadLetters, error) {
	file, err := st.createLog("on-failure.jsonl")
	if err != nil {
		return nil, err
	}
	return &deadLetters{file: file, keys: map[string]bool{}}, nil
}
