//go:build linux

package ort_test

import (
	"os"
	"testing"

	"github.com/skiff-ml/skiff/inference/ort"
)

// threads returns how many this process has.
func threads(t *testing.T) int {
	t.Helper()
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	return len(tasks)
}

// One thread runs a session, and that is the caller's: set to more, onnxruntime
// makes the others when it loads a model, and unset one a processor. Go may make
// some as well meanwhile, but few.
func TestASessionHasNoThreadsOfItsOwn(t *testing.T) {
	b, s := open(t, taxiRuns(t)["forest"])
	const sessions, rows = 16, 5000
	x, y := make([]float64, rows*len(b.Manifest.Columns)), make([]float64, rows)
	if err := s.Score(x, y); err != nil {
		t.Fatal(err)
	}
	before := threads(t)
	for range sessions {
		s, err := ort.Load(b)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		if err := s.Score(x, y); err != nil {
			t.Fatal(err)
		}
	}
	if more := threads(t) - before; more > sessions/2 {
		t.Errorf("%d sessions made %d threads", sessions, more)
	}
}
