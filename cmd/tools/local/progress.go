package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

const (
	terminalInterval = 100 * time.Millisecond
	plainInterval    = time.Second
)

// progress says what is going on: one line that changes on a terminal, a line a second elsewhere, and one line for each step done.
type progress struct {
	w        io.Writer
	terminal bool

	mu   sync.Mutex
	text func() string // of the step that is going on
	stop chan struct{}
	done sync.WaitGroup
}

func newProgress(w io.Writer) *progress {
	p := &progress{w: w, stop: make(chan struct{})}
	if f, ok := w.(*os.File); ok {
		info, err := f.Stat()
		p.terminal = err == nil && info.Mode()&os.ModeCharDevice != 0
	}
	interval := plainInterval
	if p.terminal {
		interval = terminalInterval
	}
	p.done.Go(func() {
		tick := time.NewTicker(interval)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				p.print()
			case <-p.stop:
				return
			}
		}
	})
	return p
}

// step sets what is going on; text is asked whenever it is to be shown.
func (p *progress) step(text func() string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.text = text
}

// finish ends the step with a line that stays.
func (p *progress) finish(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.text = nil
	p.clear()
	fmt.Fprintf(p.w, format+"\n", args...)
}

// close leaves nothing half-written.
func (p *progress) close() {
	close(p.stop)
	p.done.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
}

func (p *progress) print() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.text == nil {
		return
	}
	p.clear()
	fmt.Fprint(p.w, p.text())
	if !p.terminal {
		fmt.Fprintln(p.w)
	}
}

// clear empties the line that changes.
func (p *progress) clear() {
	if p.terminal {
		fmt.Fprint(p.w, "\r\x1b[K") // ECMA-48: erase to the end of the line
	}
}
