package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"worker": main})
}

// The scripts of testdata are sessions with the worker, on the shipped runs.
func TestWorker(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join(root, "models", "taxi", "runs.json"))
	if err != nil {
		t.Fatal(err)
	}
	var runs struct{ Linear, Forest string }
	if err := json.Unmarshal(raw, &runs); err != nil {
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
			env.Setenv("MODELS", filepath.Join(root, "models"))
			env.Setenv("ONNXRUNTIME_LIB", library)
			return os.Symlink(filepath.Join(root, "models"), filepath.Join(env.WorkDir, "models"))
		},
	})
}
