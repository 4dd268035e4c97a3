package slowdisk_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/skiff-ml/skiff/cmd/internal/lambdatest/slowdisk"
	"github.com/skiff-ml/skiff/inference/bundle"
)

// A bundle's file on a slow disk is waited for, and is what it is.
func TestABundlesFileIsWaitedFor(t *testing.T) {
	path := filepath.Join(t.TempDir(), "manifest.json")
	if err := os.WriteFile(path, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	const d = 50 * time.Millisecond
	var began time.Time
	done, err := slowdisk.Hold(path, d, t.Context().Done(), func() { began = time.Now() })
	if err != nil {
		t.Fatal(err)
	}
	data, err := bundle.Dir(filepath.Dir(path)).ReadFile(context.Background(), filepath.Base(path))
	if err != nil || string(data) != "{}" {
		t.Errorf("read %q, %v", data, err)
	}
	<-done
	if waited := time.Since(began); began.IsZero() || waited < d {
		t.Errorf("it was there after %v, not %v", waited, d)
	}
	if _, err := os.ReadFile(path); err != nil { // as fast as ever
		t.Error(err)
	}
}

// What nobody opens is held until it is to be let go.
func TestNobodyWaits(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	done, err := slowdisk.Hold(path, time.Hour, stop, func() { t.Error("somebody waits") })
	if err != nil {
		t.Fatal(err)
	}
	close(stop)
	<-done
	if _, err := slowdisk.Hold(path+"x", 0, stop, nil); err == nil {
		t.Error("a file that is not there is held")
	}
}
