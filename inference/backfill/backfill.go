package backfill

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/skiff-ml/skiff/inference"
	"github.com/skiff-ml/skiff/inference/hint"
)

// checkpoint is how many lines are done between two times that this is made sure
// of; what is behind the last is done again.
const checkpoint = 100_000

// reports is how often progress is told.
const reports = time.Second

// A Job is a file to predict for.
type Job struct {
	File  string // JSON lines
	To    string // predictions; beside it To.rejected, and To.progress until it is done
	RunID string
	Meta  bool // predictions say which line they are of

	// Report is told the progress, about once a second. It may be nil.
	Report func(Progress)
}

// Run does a job, or what is left of it. Each line is a document, whose prediction
// is a line of To, in order; those without are dead letters in To.rejected, their
// sequence number being the line's. When ctx ends, it is an error, and the next
// Run goes on.
func (j Job) Run(ctx context.Context, m inference.Model, log *slog.Logger) (done Progress, err error) {
	progressFile := j.To + ".progress"
	p, err := readProgress(progressFile)
	if err != nil {
		return p, err
	}
	in, err := os.Open(j.File)
	if err != nil {
		return p, err
	}
	defer in.Close()
	begin := p.RunID == ""
	if err := j.check(in, &p); err != nil {
		return p, err
	}
	predictions, err := openOutput(j.To, p.Predictions, begin)
	if err != nil {
		return p, err
	}
	defer func() { err = errors.Join(err, predictions.file.Close()) }()
	letters, err := openOutput(j.To+".rejected", p.Letters, begin)
	if err != nil {
		return p, err
	}
	defer func() { err = errors.Join(err, letters.file.Close()) }()
	if _, err := in.Seek(p.Offset, io.SeekStart); err != nil {
		return p, err
	}
	engine := inference.NewEngine(m, predictions.target(), letters.target(), log)
	engine.Outgoing.Meta = j.Meta
	sure := func() error {
		p.Predictions, p.Letters = predictions.size, letters.size
		if err := errors.Join(predictions.sync(), letters.sync()); err != nil {
			return err
		}
		return p.write(progressFile)
	}
	if err := sure(); err != nil {
		return p, err
	}
	if err := j.predict(ctx, engine, newLines(in, j.File, p.Offset, p.Lines), &p, sure); err != nil {
		return p, err
	}
	return p, os.Remove(progressFile)
}

// check makes the progress that of this job, or says why it is another's.
func (j Job) check(in *os.File, p *Progress) error {
	info, err := in.Stat()
	if err != nil {
		return err
	}
	now := Progress{RunID: j.RunID, File: j.File, FileBytes: info.Size()}
	if p.RunID == "" {
		*p = now
		return nil
	}
	if (Progress{RunID: p.RunID, File: p.File, FileBytes: p.FileBytes}) != now {
		return hint.With(fmt.Errorf("%s.progress is of run %s and %s of %d bytes; this is run %s and %s of %d bytes", j.To, p.RunID, p.File, p.FileBytes, j.RunID, j.File, info.Size()),
			"go on with those, or remove it, and what is beside it, to begin anew")
	}
	return nil
}

// predict predicts for all lines that are left. What was done when it ends early
// is made sure of.
func (j Job) predict(ctx context.Context, engine *inference.Engine, l *lines, p *Progress, sure func() error) error {
	var b inference.Batch
	last, told := p.Lines, time.Now()
	for {
		if err := ctx.Err(); err != nil {
			return errors.Join(context.Cause(ctx), sure())
		}
		more, err := l.fill(&b)
		if err == nil && more {
			err = engine.Handle(context.WithoutCancel(ctx), &b)
		}
		if err != nil {
			return err
		}
		if undealt := b.Undealt(); len(undealt) > 0 {
			return b.Outcomes[undealt[0]].Err
		}
		p.Offset, p.Lines = l.offset, l.line
		p.Predicted += len(b.Sent)
		p.Rejected += len(b.Items) - len(b.Sent)
		if !more || p.Lines-last >= checkpoint {
			last = p.Lines
			if err := sure(); err != nil {
				return err
			}
		}
		if j.Report != nil && (!more || time.Since(told) >= reports) {
			told = time.Now()
			j.Report(*p)
		}
		if !more {
			return nil
		}
	}
}
