package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"sync"
	"time"

	"github.com/skiff-ml/skiff/cmd/internal/lambdatest/slowdisk"
)

// slowFor is the most that a slow file is waited for: a part of what a worker may take to start.
const slowFor = 500 * time.Millisecond

// Disks are folders with the bundles of a soak's runs. Workers that read their bundle there find a file of it slow, which one the seed says.
type disks struct {
	dir string

	mu   sync.Mutex
	rng  *rand.Rand
	slow int           // files that a worker waited for
	stop chan struct{} // has the last one be as fast as ever
	done <-chan struct{}
}

// newDisks copies bundles: they are not ours to slow down for others.
func (st *stack) newDisks(seed uint64, runs ...string) (*disks, error) {
	d := &disks{dir: filepath.Join(st.temp, "disk"), rng: random(seed, "disk")}
	for _, run := range runs {
		if err := os.CopyFS(filepath.Join(d.dir, run), os.DirFS(path.Join(path.Dir(st.settings.model), run))); err != nil {
			return nil, fmt.Errorf("copying the bundle of run %s: %w", run, err)
		}
	}
	st.closers = append(st.closers, d.release)
	return d, nil
}

// folder is that with a run's bundle, of which a file is slow from now on. Where it cannot be made so, since a worker is reading it, it is not.
func (d *disks) folder(run string) string {
	folder := filepath.Join(d.dir, run)
	d.release()
	d.mu.Lock()
	defer d.mu.Unlock()
	entries, err := os.ReadDir(folder)
	if err != nil || len(entries) == 0 || d.stop != nil {
		return folder // what is wrong with it the worker says
	}
	file, wait := entries[d.rng.IntN(len(entries))], time.Duration(d.rng.Int64N(int64(slowFor)))
	stop := make(chan struct{})
	done, err := slowdisk.Hold(filepath.Join(folder, file.Name()), wait, stop, func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.slow++
	})
	if err == nil {
		d.stop, d.done = stop, done
	}
	return folder
}

// release has all files be as fast as ever.
func (d *disks) release() {
	d.mu.Lock()
	stop, done := d.stop, d.done
	d.stop = nil
	d.mu.Unlock()
	if stop != nil {
		close(stop)
		<-done
	}
}

// count is how many files a worker has waited for.
func (d *disks) count() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.slow
}
