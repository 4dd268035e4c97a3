package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/skiff-ml/skiff/inference/backfill"
)

// A summary is the last line of a backfill.
type summary struct {
	RunID       string  `json:"run_id"`
	Predictions string  `json:"predictions"` // the file
	Lines       int     `json:"lines"`
	Predicted   int     `json:"predicted"`
	Rejected    int     `json:"rejected"`
	Seconds     float64 `json:"seconds"` // of this run
}

// scoreFile predicts for the documents of a file, into another.
func scoreFile(ctx context.Context, getenv func(string) string, file, to string, stdout io.Writer, log *slog.Logger) error {
	const publishes = false
	w, err := start(ctx, getenv, log, publishes, startTime)
	if err != nil {
		return err
	}
	defer w.close() //nolint:errcheck // the process ends here
	w.logReady(ctx, log)
	if to == "" {
		to = strings.TrimSuffix(file, ".jsonl") + ".predictions.jsonl"
	}
	began, runID := time.Now(), w.serving.Load().manifest.RunID
	job := backfill.Job{
		File: file, To: to, RunID: runID, Meta: w.loader.outgoing.Meta,
		Report: func(p backfill.Progress) {
			log.LogAttrs(ctx, slog.LevelInfo, "scoring", slog.Int("lines", p.Lines), slog.Int("predicted", p.Predicted), slog.Int("rejected", p.Rejected),
				slog.Float64("percent", 100*float64(p.Offset)/float64(max(p.FileBytes, 1))))
		},
	}
	// what is rejected is in a file, and no line of the log for each
	done, err := job.Run(ctx, w.serving.Load().model, slog.New(slog.DiscardHandler))
	w.tellDrift(ctx, true)
	if err != nil {
		return fmt.Errorf("scoring %s: %w", file, err)
	}
	line, err := json.Marshal(summary{runID, to, done.Lines, done.Predicted, done.Rejected, time.Since(began).Seconds()})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(stdout, "%s\n", line)
	return err
}
