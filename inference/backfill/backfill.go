package backfill

import (
	"context"
	"errors"
	"fmt"
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

// A Job is an input to predict for.
type Job struct {
	Input *Input
	To    string // predictions; beside it To.rejected, and To.progress until it is done
	RunID string
	Meta  bool // predictions say which line they are of

	// Keep leaves To.progress there, for who has more to do with the files: another
	// Run then has nothing to do.
	Keep bool

	// Report is told the progress, about once a second. It may be nil.
	Report func(Progress)
}

// ErrAnother is that the model is another than the job's.
var ErrAnother = errors.New("the model was changed meanwhile")

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
	begin := p.RunID == ""
	if err := j.check(&p); err != nil {
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
	in, err := j.Input.Open(ctx, Place{p.Offset, p.Lines})
	if err != nil {
		return p, err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	if err := j.predict(ctx, engine, in, &p, sure); err != nil || j.Keep {
		return p, err
	}
	return p, os.Remove(progressFile)
}

// check makes the progress that of this job, or says why it is another's.
func (j Job) check(p *Progress) error {
	now := Progress{RunID: j.RunID, File: j.Input.Name, FileBytes: j.Input.Bytes, Tag: j.Input.Tag, Meta: j.Meta}
	if p.RunID == "" {
		*p = now
		return nil
	}
	before := Progress{RunID: p.RunID, File: p.File, FileBytes: p.FileBytes, Tag: p.Tag, Meta: p.Meta}
	switch {
	case before == now:
		return nil
	case before.RunID == now.RunID && before.File == now.File && before.FileBytes == now.FileBytes && before.Tag != now.Tag:
		return hint.With(fmt.Errorf("%s has changed since it was begun", now.File), fmt.Sprintf("remove %s.progress, and what is beside it, to begin anew", j.To))
	case before.Meta != now.Meta:
		return hint.With(fmt.Errorf("%s.progress is of predictions that are other lines", j.To),
			"go on with the OUTPUT_META there was, or remove it, and what is beside it, to begin anew")
	}
	return hint.With(fmt.Errorf("%s.progress is of run %s and %s of %d bytes; this is run %s and %s of %d bytes", j.To, p.RunID, p.File, p.FileBytes, j.RunID, now.File, now.FileBytes),
		"go on with those, or remove it, and what is beside it, to begin anew")
}

// predict predicts for all lines that are left. What was done when it ends early
// is made sure of.
func (j Job) predict(ctx context.Context, engine *inference.Engine, in *Text, p *Progress, sure func() error) error {
	l := newLines(in, j.Input.Name, p.Offset, p.Lines)
	var b inference.Batch
	last, told := p.Lines, time.Now()
	for {
		if err := ctx.Err(); err != nil {
			return errors.Join(context.Cause(ctx), sure())
		}
		more, err := l.fill(&b)
		if err != nil && ctx.Err() != nil {
			continue // it was reading when it was stopped
		}
		if err == nil && more {
			err = engine.Handle(context.WithoutCancel(ctx), &b)
		}
		if err != nil {
			return err
		}
		if undealt := b.Undealt(); len(undealt) > 0 {
			return b.Outcomes[undealt[0]].Err
		}
		if len(b.Sent) > 0 && b.RunID != j.RunID {
			return fmt.Errorf("%w: run %s", ErrAnother, b.RunID)
		}
		p.Offset, p.Lines = l.offset, l.line
		p.Predicted += len(b.Sent)
		p.Rejected += len(b.Items) - len(b.Sent)
		p.Share = in.Share()
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
