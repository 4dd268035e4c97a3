package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/skiff-ml/skiff/inference"
	"github.com/skiff-ml/skiff/inference/backfill"
	"github.com/skiff-ml/skiff/inference/bundle"
)

// A summary is what became of a file, and the last line of a backfill.
type summary struct {
	RunID       string  `json:"run_id"`
	Predictions string  `json:"predictions"` // the file
	Lines       int     `json:"lines"`
	Predicted   int     `json:"predicted"`
	Rejected    int     `json:"rejected"`
	Before      bool    `json:"before,omitempty"` // it was done before
	Seconds     float64 `json:"seconds"`          // of this run
}

// scoreFile predicts for the documents of a file, into another.
func scoreFile(ctx context.Context, getenv func(string) string, file, to string, stdout io.Writer, log *slog.Logger) error {
	if to == "" {
		to = predictionsOf(file)
	}
	if err := checkPredictions(to); err != nil {
		return err
	}
	const publishes = false
	w, err := start(ctx, getenv, log, publishes, startTime)
	if err != nil {
		return err
	}
	defer w.close() //nolint:errcheck // the process ends here
	w.logReady(ctx, log)
	s := &scoring{
		loader: w.loader, manifest: &w.serving.Load().manifest, model: w.serving.Load().model,
		from: file, to: to, names: [2]string{"-score", "-to"},
		report: func(p backfill.Progress) {
			log.LogAttrs(ctx, slog.LevelInfo, "scoring", slog.Int("lines", p.Lines), slog.Int("predicted", p.Predicted), slog.Int("rejected", p.Rejected),
				slog.Float64("percent", 100*p.Share))
		},
	}
	done, err := s.run(ctx)
	w.tellDrift(ctx, true)
	if err != nil {
		return err
	}
	line, err := json.Marshal(done)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(stdout, "%s\n", line)
	return err
}

// A scoring is a file to predict for.
type scoring struct {
	loader   *loader
	manifest *bundle.Manifest
	model    inference.Model
	from, to string    // files, on disk or s3:// URLs
	names    [2]string // what they are called by whoever asks
	folder   string    // for what is on its way to S3; empty: the working folder
	report   func(backfill.Progress)
}

// run predicts for the file, or for what is left of it. What is written to S3 is
// there when all of it is done, and a file that is there already, with the
// predictions of the same run for the same object, is done.
func (s *scoring) run(ctx context.Context) (done summary, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("scoring %s: %w", s.from, err)
		}
	}()
	began := time.Now()
	from, err := s.source(ctx)
	if err != nil {
		return done, err
	}
	to, err := s.target(ctx, from)
	if err != nil {
		return done, err
	}
	if to.done != nil {
		return *to.done, nil
	}
	defer func() { err = join(err, from.discard()) }()
	input, err := s.input(ctx, from, to)
	if err != nil {
		return done, err
	}
	job := backfill.Job{Input: input, To: to.file, RunID: s.manifest.RunID, Meta: s.loader.outgoing.Meta, Keep: to.keeps(), Report: s.report}
	// what is rejected is in a file, and no line of the log for each
	p, err := job.Run(ctx, s.model, slog.New(slog.DiscardHandler))
	if err != nil {
		if ctx.Err() != nil && p.Lines > 0 {
			err = fmt.Errorf("after %d lines, %.0f %%: %w", p.Lines, 100*p.Share, err)
		}
		return done, err
	}
	if err := to.publish(ctx, p); err != nil {
		return done, err
	}
	return summary{RunID: p.RunID, Predictions: s.to, Lines: p.Lines, Predicted: p.Predicted, Rejected: p.Rejected, Seconds: time.Since(began).Seconds()}, nil
}

// join is one of two errors, or both: a lone one keeps its type.
func join(err, other error) error {
	switch {
	case err == nil:
		return other
	case other == nil:
		return err
	}
	return errors.Join(err, other)
}
