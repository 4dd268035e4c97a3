package alias

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/skiff-ml/skiff/inference/bundle"
	"github.com/skiff-ml/skiff/inference/hint"
)

// How a pointer is moved.
const (
	Promote  = "promote"  // to a run
	Rollback = "rollback" // to the run before; twice, it is where it was
)

// maxHistory is how many pointers a history keeps: some 200 KB.
const maxHistory = 1000

// ErrNoPrevious is that an alias has stood for one run only.
var ErrNoPrevious = errors.New("has stood for no other run")

// Files are those of the folder of the runs. A tag is what a file was when it
// was read; empty for one that is not there. WriteIf fails where it is another
// one by now.
type Files interface {
	ReadChanged(ctx context.Context, name, tag string) (data []byte, newTag string, err error)
	WriteIf(ctx context.Context, name string, data []byte, tag string) error
}

// A Move is a pointer as it was read, and what it is to become.
type Move struct {
	From *Pointer // nil: there is none
	To   *Pointer

	alias string
	tag   string
}

// Read returns an alias's pointer, nil where there is none yet, with its tag.
func Read(ctx context.Context, files Files, alias string) (*Pointer, string, error) {
	data, tag, err := files.ReadChanged(ctx, File(alias), "")
	if errors.Is(err, os.ErrNotExist) {
		return nil, "", nil
	}
	if err != nil {
		return nil, "", err
	}
	p, err := Parse(data)
	if err != nil {
		return nil, "", fmt.Errorf("reading %s: %w", File(alias), err)
	}
	return p, tag, nil
}

// Same reports whether the alias stands for that already.
func (m *Move) Same() bool {
	return m.From != nil && m.From.RunID == m.To.RunID && m.From.Manifest == m.To.Manifest
}

// PlanPromote returns the move of an alias to a run.
func PlanPromote(ctx context.Context, files Files, alias, runID string, now time.Time) (*Move, error) {
	if err := errors.Join(Check(alias), bundle.CheckRunID(runID)); err != nil {
		return nil, err
	}
	return plan(ctx, files, alias, now, func(*Pointer) (string, string, error) { return Promote, runID, nil })
}

// PlanRollback returns the move of an alias to the run before. Without one it
// is an error that wraps [ErrNoPrevious].
func PlanRollback(ctx context.Context, files Files, alias string, now time.Time) (*Move, error) {
	if err := Check(alias); err != nil {
		return nil, err
	}
	return plan(ctx, files, alias, now, func(p *Pointer) (by, runID string, err error) {
		if p == nil || p.Previous == "" {
			return "", "", hint.With(fmt.Errorf("@%s %w", alias, ErrNoPrevious), "promote names any run")
		}
		return Rollback, p.Previous, nil
	})
}

func plan(ctx context.Context, files Files, alias string, now time.Time, to func(*Pointer) (by, runID string, err error)) (*Move, error) {
	from, tag, err := Read(ctx, files, alias)
	if err != nil {
		return nil, err
	}
	by, runID, err := to(from)
	if err != nil {
		return nil, err
	}
	m := &Move{From: from, alias: alias, tag: tag}
	m.To = &Pointer{Format: Format, Revision: 1, RunID: runID, At: now.UTC().Format(time.RFC3339), By: by}
	last := from
	if last == nil { // it may have been deleted: revisions go on
		past, _, err := readHistory(ctx, files, alias)
		if err != nil {
			return nil, err
		}
		if len(past) > 0 {
			last = past[len(past)-1]
		}
	}
	if last != nil {
		m.To.Revision = last.Revision + 1
		if m.To.Previous = last.RunID; last.RunID == runID { // its bundle is another one
			m.To.Previous = last.Previous
		}
	}
	return m, nil
}

// Make moves the pointer, unless it is no longer what it was when the move was
// planned. What it was is put into the history before: each step alone leaves
// what is true.
func (m *Move) Make(ctx context.Context, files Files) error {
	if m.From != nil {
		if err := keep(ctx, files, m.alias, m.From); err != nil {
			return err
		}
	}
	return files.WriteIf(ctx, File(m.alias), m.To.marshal(), m.tag)
}

// keep appends a pointer to the history, unless it is there.
func keep(ctx context.Context, files Files, alias string, p *Pointer) error {
	past, tag, err := readHistory(ctx, files, alias)
	if err != nil {
		return err
	}
	if n := len(past); n > 0 && past[n-1].Revision >= p.Revision {
		return nil
	}
	past = append(past, p)
	var data []byte
	for _, p := range past[max(0, len(past)-maxHistory):] {
		data = append(data, p.marshal()...)
	}
	return files.WriteIf(ctx, HistoryFile(alias), data, tag)
}

// History returns what an alias has stood for, the oldest first; the last is
// what it stands for now.
func History(ctx context.Context, files Files, alias string) ([]*Pointer, error) {
	if err := Check(alias); err != nil {
		return nil, err
	}
	now, _, err := Read(ctx, files, alias)
	if err != nil || now == nil {
		return nil, err
	}
	past, _, err := readHistory(ctx, files, alias)
	if err != nil {
		return nil, err
	}
	for n := len(past); n > 0 && past[n-1].Revision >= now.Revision; n-- { // of a move that was being made
		past = past[:n-1]
	}
	return append(past, now), nil
}

// readHistory returns the pointers that an alias had before, with the file's
// tag: none where there is no file.
func readHistory(ctx context.Context, files Files, alias string) ([]*Pointer, string, error) {
	data, tag, err := files.ReadChanged(ctx, HistoryFile(alias), "")
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, "", err
	}
	var past []*Pointer
	for line := range bytes.Lines(data) {
		p, err := Parse(line)
		if err != nil {
			return nil, "", fmt.Errorf("reading %s: %w", HistoryFile(alias), err)
		}
		past = append(past, p)
	}
	return past, tag, nil
}
