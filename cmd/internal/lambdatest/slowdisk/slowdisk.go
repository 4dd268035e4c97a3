// Package slowdisk has a file keep whoever opens it waiting, as a disk does that is slow to answer: a lease on the file, which Linux has its holder
// give back before it lets anybody else open it. It takes no privileges, and no file system of its own.
package slowdisk

import (
	"fmt"
	"os"
	"time"
)

const pollInterval = 2 * time.Millisecond

// Hold has the next one who opens a file wait for d, for as long as stop is open. slow is told once somebody waits. The file must be the caller's
// own, and open nowhere; what it returns is closed when the file is as fast as ever.
func Hold(path string, d time.Duration, stop <-chan struct{}, slow func()) (<-chan struct{}, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("slowing a file down: %w", err)
	}
	if err := lease(f); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("slowing %s down: %w", path, err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer f.Close() // gives the lease back
		if wait(f, stop) {
			slow()
			timer := time.NewTimer(d)
			defer timer.Stop()
			select {
			case <-timer.C:
			case <-stop:
			}
		}
	}()
	return done, nil
}

// wait waits until somebody opens the file, and reports whether it has.
func wait(f *os.File, stop <-chan struct{}) bool {
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for !wanted(f) {
		select {
		case <-tick.C:
		case <-stop:
			return false
		}
	}
	return true
}
