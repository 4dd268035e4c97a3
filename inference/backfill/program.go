package backfill

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/skiff-ml/skiff/inference/hint"
)

// killed is how long a program that is ended has for it.
const killed = 5 * time.Second

// mostWords is how much of what a program says of its failure is kept, in bytes.
const mostWords = 4 << 10

// A Program writes JSON lines to its stdout, behind so many lines that it skips.
type Program func(ctx context.Context, skip int) (*exec.Cmd, error)

// Written returns the input that a program writes from a file, which has so many
// lines. That it fails is an error of reading, with its own words.
func Written(name string, size int64, tag string, lines int, run Program) *Input {
	return &Input{Name: name, Bytes: size, Tag: tag, Open: func(ctx context.Context, from Place) (*Text, error) {
		cmd, err := run(ctx, from.Lines)
		if err != nil {
			return nil, err
		}
		w := &written{cmd: cmd, name: name}
		w.lines.Store(int64(from.Lines))
		cmd.Stderr, cmd.WaitDelay = &w.words, killed
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // a terminal's interrupt is this program's to handle
		if w.stdout, err = cmd.StdoutPipe(); err != nil {
			return nil, err
		}
		if err := cmd.Start(); err != nil {
			return nil, err
		}
		return &Text{w, func() float64 { return float64(w.lines.Load()) / float64(max(lines, 1)) }}, nil
	}}
}

// A written is what a program writes.
type written struct {
	cmd    *exec.Cmd
	name   string // of the file
	stdout io.Reader
	words  words
	lines  atomic.Int64
	ended  bool
}

// Read implements [io.Reader]. The end is that of a program that succeeded.
func (w *written) Read(p []byte) (int, error) {
	n, err := w.stdout.Read(p)
	w.lines.Add(int64(bytes.Count(p[:n], []byte("\n"))))
	if n > 0 || err == nil {
		return n, nil // what is wrong comes again
	}
	if w.ended {
		return 0, err
	}
	w.ended = true
	if failed := w.cmd.Wait(); failed != nil {
		return 0, w.words.explain(w.name, failed)
	}
	return 0, io.EOF
}

// Close implements [io.Closer]. It ends the program.
func (w *written) Close() error {
	if w.ended {
		return nil
	}
	w.ended = true
	_ = w.cmd.Process.Kill() // it may have ended
	_ = w.cmd.Wait()         // killed
	return nil
}

// words are the first that a program says on stderr.
type words struct{ text []byte }

// Write implements [io.Writer].
func (w *words) Write(p []byte) (int, error) {
	w.text = append(w.text, p[:min(len(p), mostWords-len(w.text))]...)
	return len(p), nil
}

// explain returns the error of a program: its own, with its hint, where it has
// said one as skiff's programs do.
func (w *words) explain(name string, failed error) error {
	var said, advice string
	for line := range strings.Lines(string(w.text)) {
		line = strings.TrimSpace(line)
		if rest, ok := strings.CutPrefix(line, "hint: "); ok {
			advice = rest
		} else if _, rest, ok := strings.Cut(line, ": error: "); ok && said == "" {
			said = rest
		}
	}
	err := fmt.Errorf("reading %s: %w", name, failed)
	if said != "" {
		err = errors.New(said)
	} else if text := strings.TrimSpace(string(w.text)); text != "" {
		last := text[strings.LastIndexByte(text, '\n')+1:]
		err = fmt.Errorf("reading %s: %w: %s", name, failed, last)
	}
	if advice != "" {
		err = hint.With(err, advice)
	}
	return err
}
