package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"skiff/models/taxi"
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
	runs, err := taxi.ReadRuns(filepath.Join(root, "models", "taxi", "runs.json"))
	if err != nil {
		t.Fatal(err)
	}
	library := os.Getenv("ONNXRUNTIME_LIB")
	if library == "" {
		library = filepath.Join(root, ".build", "lib", "libonnxruntime.so")
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(env *testscript.Env) error {
			env.Setenv("LINEAR", runs["linear"])
			env.Setenv("FOREST", runs["forest"])
			env.Setenv("MODELS", filepath.Join(root, "models"))
			env.Setenv("ONNXRUNTIME_LIB", library)
			return os.Symlink(filepath.Join(root, "models"), filepath.Join(env.WorkDir, "models"))
		},
	})
}
