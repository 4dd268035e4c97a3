package measuring

import (
	"fmt"
	"io"
	"os"
	"time"
)

// A Progress shows what is being done: on a terminal in one line that changes,
// elsewhere in a line every few seconds.
type Progress struct {
	w        io.Writer
	terminal bool
	last     time.Time
}

// NewProgress returns a progress that is shown on w.
func NewProgress(w io.Writer) *Progress {
	p := &Progress{w: w}
	if f, ok := w.(*os.File); ok {
		info, err := f.Stat()
		p.terminal = err == nil && info.Mode()&os.ModeCharDevice != 0
	}
	return p
}

// Show shows what is being done, unless something else was a moment ago.
func (p *Progress) Show(what string) {
	every := 3 * time.Second
	if p.terminal {
		every = 100 * time.Millisecond
	}
	if time.Since(p.last) < every {
		return
	}
	p.last = time.Now()
	if p.terminal {
		fmt.Fprintf(p.w, "\r\x1b[K%s", what)
	} else {
		fmt.Fprintln(p.w, what)
	}
}

// Done clears the line.
func (p *Progress) Done() {
	if p.terminal {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}
