// Package transcripts tests a command by the transcripts in its testdata, on
// the shipped runs.
package transcripts

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"skiff/models/taxi"
)

// Run runs the transcripts of a command, which is two folders below the
// project's. They have models/ in their folder, and in variables its path,
// the ids of the LINEAR and the FOREST run, and onnxruntime's library.
func Run(t *testing.T) {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	models := filepath.Join(root, "models")
	runs, err := taxi.ReadRuns(filepath.Join(models, "taxi", "runs.json"))
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
			env.Setenv("MODELS", models)
			env.Setenv("ONNXRUNTIME_LIB", library)
			return os.Symlink(models, filepath.Join(env.WorkDir, "models"))
		},
	})
}
