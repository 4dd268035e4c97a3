// Package shipped finds what the project ships, for tests: its runs, and
// onnxruntime where make has put it.
package shipped

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// Runs are the ids of the two shipped runs.
type Runs struct{ Linear, Forest string }

// ReadRuns returns the shipped runs.
func ReadRuns(t *testing.T) Runs {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(Models(t), "taxi", "runs.json"))
	if err != nil {
		t.Fatal(err)
	}
	var runs Runs
	if err := json.Unmarshal(data, &runs); err != nil {
		t.Fatal(err)
	}
	return runs
}

// Models returns the folder of the bundles.
func Models(t *testing.T) string {
	t.Helper()
	return filepath.Join(project(t), "models")
}

// Library returns the path of onnxruntime's shared library.
func Library(t *testing.T) string {
	t.Helper()
	if library := os.Getenv("ONNXRUNTIME_LIB"); library != "" {
		return library
	}
	return filepath.Join(project(t), ".build", "lib", "libonnxruntime.so")
}

// project returns the project's folder: that above the test's with models/ in it.
func project(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		_, err := os.Stat(filepath.Join(dir, "models", "taxi", "runs.json"))
		if err == nil {
			return dir
		}
		if above := filepath.Dir(dir); errors.Is(err, os.ErrNotExist) && above != dir {
			dir = above
			continue
		}
		t.Fatalf("no folder above the test's has models/taxi/runs.json: %v", err)
	}
}
