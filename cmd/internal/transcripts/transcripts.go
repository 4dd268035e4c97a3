// Package transcripts tests a command by the transcripts in its testdata, on
// the shipped runs.
package transcripts

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/skiff-ml/skiff/cmd/internal/shipped"
)

// Run runs the transcripts of a command. They have models/ in their folder,
// and in variables its path, the ids of the LINEAR and the FOREST run, and
// onnxruntime's library.
func Run(t *testing.T) {
	t.Helper()
	models, runs, library := shipped.Models(t), shipped.ReadRuns(t), shipped.Library(t)
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
