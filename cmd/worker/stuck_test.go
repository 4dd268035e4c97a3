//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/skiff-ml/skiff/cmd/internal/shipped"
)

// onnxruntime takes seconds to load a graph of as many nodes as are served, and
// knows of no signal: a worker that is told to stop does.
func TestSIGTERMWhileOnnxruntimeLoads(t *testing.T) {
	run := shipped.ReadRuns(t).Linear
	folder := copyBundle(t, run)
	if err := instead(onRow(longChain(30_000)...)...)(folder); err != nil {
		t.Fatal(err)
	}
	cmd := workerCommand(t, "-check")
	cmd.Env = append(cmd.Env, "RUN_ID="+run, "MODEL_LOCATION="+string(folder))
	w := startWorker(t, cmd)
	for deadline := time.Now().Add(patience); !loadsOnnxruntime(w.Process.Pid); {
		if time.Now().After(deadline) {
			t.Fatal("it doesn't come to onnxruntime")
		}
	}
	w.terminate(t)
	w.end(t, 1)
	const want = "worker: error: stopped while starting: terminated signal received: context canceled\n" // not how the load ended
	if got := w.stderr.String(); got != want {
		t.Errorf("it says %swant %s", got, want)
	}
}

// loadsOnnxruntime reports whether a process has the library in its memory.
func loadsOnnxruntime(pid int) bool {
	maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid))
	return err == nil && strings.Contains(string(maps), "libonnxruntime")
}

func TestLoadUntil(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	stop()
	for name, load := range map[string]func() (*worker, error){
		"never":   func() (*worker, error) { select {} },
		"in time": func() (*worker, error) { return nil, errors.New("its own last words") },
	} {
		_, err := loadUntil(ctx, load)
		if want := map[string]string{"never": "context canceled", "in time": "its own last words"}[name]; err == nil || err.Error() != want {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
