// Package localstate is what the local stack is called, and how it says that it
// is up: `local up` writes it, and skiff reads it to send and to follow records.
package localstate

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// What the local stack is called.
const (
	RidesStream       = "start-ride-events"
	PredictionsStream = "ride-predictions"
	ModelBucket       = "mlflow-models" // where MLflow keeps its artifacts
	DeadLetterBucket  = "ride-dead-letters"
	DeadLetterPrefix  = RidesStream + "/" // the stream that the rides came by
)

// A State is what up leaves for other commands, in state.json. It is there once
// everything answers.
type State struct {
	RunID        string   `json:"run_id"`
	Alias        string   `json:"alias,omitempty"` // which stood for it at first
	ID           []string `json:"id,omitempty"`    // where a record has its id: keys, from the outermost
	Endpoint     string   `json:"endpoint"`        // of Kinesis and S3, a URL
	Page         string   `json:"page,omitempty"`  // the live one, a URL
	PID          int      `json:"pid"`             // of serve
	MinistackPID int      `json:"ministack_pid"`
	Temp         string   `json:"temp"` // folder
}

// Path is the file that has the state of the stack in a folder.
func Path(dir string) string { return filepath.Join(dir, "state.json") }

// Read reads the state. There is none, and no error, when nothing is up.
func Read(dir string) (*State, error) {
	data, err := os.ReadFile(Path(dir))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil //nolint:nilnil // nothing is up
	}
	if err != nil {
		return nil, fmt.Errorf("reading the state: %w", err)
	}
	var st State
	if err := json.Unmarshal(data, &st); err != nil {
		return nil, fmt.Errorf("reading %s: %w", Path(dir), err)
	}
	return &st, nil
}

// Write replaces the state in one step.
func (st State) Write(dir string) error {
	data, err := json.Marshal(st)
	if err != nil {
		return fmt.Errorf("writing the state: %w", err)
	}
	temp := Path(dir) + ".new"
	if err := os.WriteFile(temp, append(data, '\n'), 0o600); err != nil {
		return fmt.Errorf("writing the state: %w", err)
	}
	if err := os.Rename(temp, Path(dir)); err != nil {
		return fmt.Errorf("writing the state: %w", err)
	}
	return nil
}
