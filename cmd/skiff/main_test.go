package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/skiff-ml/skiff/cmd/internal/shipped"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"skiff": main})
}

// The scripts of testdata are sessions with a worker that proves any run but
// those that it is told not to. With the real one it is cmd/tools/swap that
// promotes.
func TestScripts(t *testing.T) {
	runs, models := shipped.ReadRuns(t), shipped.Models(t)
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(env *testscript.Env) error {
			env.Setenv("FOREST", runs.Forest)
			return os.CopyFS(filepath.Join(env.WorkDir, "bundle"), os.DirFS(filepath.Join(models, runs.Forest)))
		},
	})
}

// The scripts of testdata/worker are sessions with the real worker, which is
// built here, and with the shipped runs.
func TestWorker(t *testing.T) {
	bin := t.TempDir()
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", bin, "github.com/skiff-ml/skiff/cmd/worker").CombinedOutput(); err != nil {
		t.Fatalf("building the worker: %v\n%s", err, out)
	}
	models, runs, library := shipped.Models(t), shipped.ReadRuns(t), shipped.Library(t)
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("testdata", "worker"),
		Setup: func(env *testscript.Env) error {
			env.Setenv("PATH", bin+string(os.PathListSeparator)+env.Getenv("PATH"))
			env.Setenv("BIN", bin)
			env.Setenv("LINEAR", runs.Linear)
			env.Setenv("FOREST", runs.Forest)
			env.Setenv("TREES", filepath.Join(models, "..", "inference", "ort", "testdata", "77777777777777777777777777777777"))
			env.Setenv("FORMAT2", filepath.Join(models, "..", "inference", "bundle", "testdata", "format2"))
			env.Setenv("ONNXRUNTIME_LIB", library)
			return os.CopyFS(filepath.Join(env.WorkDir, "models"), os.DirFS(models))
		},
	})
}

// A released program has its version from the linker.
func TestVersion(t *testing.T) {
	if v := version(); v == "" {
		t.Error("it has none")
	}
	release = "v1.2.3"
	t.Cleanup(func() { release = "" })
	if v := version(); v != release {
		t.Errorf("got %s, want %s", v, release)
	}
}

// What is embedded is what make installs.
func TestMinistackLock(t *testing.T) {
	lock, err := os.ReadFile(filepath.Join(shipped.Models(t), "..", ".tools", "python", "stack.lock"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(lock, ministackLock) {
		t.Error("ministack.lock is not .tools/python/stack.lock: make lock copies it")
	}
}

// A program of a checkout is found from it, and no other folder is one.
func TestCheckout(t *testing.T) {
	root, err := filepath.EvalSymlinks(filepath.Join(shipped.Models(t), ".."))
	if err != nil {
		t.Fatal(err)
	}
	if got := checkout(); got != root { // a test runs in its package's folder
		t.Errorf("got %q, want %q", got, root)
	}
	t.Chdir(t.TempDir())
	if got := checkout(); got != "" {
		t.Errorf("got %q in no checkout", got)
	}
	if got := inCheckout("bin"); got != "" {
		t.Errorf("got %q in no checkout", got)
	}
}
