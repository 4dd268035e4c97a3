// Package transcripts tests a command by the transcripts in its testdata, on
// the shipped runs.
package transcripts

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// Run runs the transcripts of a command. They have models/ in their folder,
// and in variables its path, the ids of the LINEAR and the FOREST run, and
// onnxruntime's library.
func Run(t *testing.T) {
	t.Helper()
	root := project(t)
	models := filepath.Join(root, "models")
	data, err := os.ReadFile(filepath.Join(models, "taxi", "runs.json"))
	if err != nil {
		t.Fatal(err)
	}
	var runs struct{ Linear, Forest string }
	if err := json.Unmarshal(data, &runs); err != nil {
		t.Fatal(err)
	}
	library := os.Getenv("ONNXRUNTIME_LIB")
	if library == "" {
		library = filepath.Join(root, ".build", "lib", "libonnxruntime.so")
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(env *testscript.Env) error {
			env.Setenv("LINEAR", runs.Linear)
			env.Setenv("FOREST", runs.Forest)
			env.Setenv("MODELS", models)
			env.Setenv("ONNXRUNTIME_LIB", library)
			return os.Symlink(models, filepath.Join(env.WorkDir, "models"))
		},
	})
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
