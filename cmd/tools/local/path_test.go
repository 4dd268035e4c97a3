//go:build integration

package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/skiff-ml/skiff/cmd/tools/internal/taxi"
)

// The scripts of testdata/path run the whole path, with the programs that make has built and installed.
func TestPath(t *testing.T) {
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	runs, err := taxi.ReadRuns(filepath.Join(root, "models/taxi/runs.json"))
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata/path",
		Setup: func(env *testscript.Env) error {
			for name, value := range map[string]string{
				"FOREST": runs["forest"], "LINEAR": runs["linear"],
				"WORKER": filepath.Join(root, ".build/bin/worker"), "MINISTACK": filepath.Join(root, ".build/venv/bin/ministack"),
				"SKIFF":  filepath.Join(root, ".build/bin/skiff"),
				"MODELS": filepath.Join(root, "models"), "RIDES": filepath.Join(root, "models/taxi/rides.parquet"),
				"ONNXRUNTIME_LIB": filepath.Join(root, ".build/lib/libonnxruntime.so"),
			} {
				env.Setenv(name, value)
			}
			env.Defer(func() { // what a script that fails leaves up
				dir := filepath.Join(env.WorkDir, ".build/local")
				if err := run(context.Background(), []string{"down", "-dir", dir}, os.Getenv, io.Discard, io.Discard); err != nil {
					t.Errorf("down: %v", err)
				}
			})
			return nil
		},
	})
}
