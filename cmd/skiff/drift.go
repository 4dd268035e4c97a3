package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/skiff-ml/skiff/inference/bundle"
	"github.com/skiff-ml/skiff/inference/drift"
	"github.com/skiff-ml/skiff/inference/hint"
)

// looked is how much of a file is looked at to see whether it is a log, in bytes.
const looked = 1 << 20

func (s *settings) drift() *cobra.Command {
	var asJSON bool
	var page string
	var most float64
	cmd := &cobra.Command{
		Use: "drift RUN [FILE]", Short: "Show how far what comes is from the sample of the conversion", Args: cobra.RangeArgs(1, 2), ValidArgsFunction: s.completeRun,
		Long: `Compares what a model is given and what it predicts with its bundle's sketch, column by column: the population stability index (PSI), the
Jensen-Shannon divergence in bits, the shares that are missing and unknown, and the most frequent words that training did not have.

FILE is a log of workers with DRIFT=on, of whatever else is in it only their counts are read and added up, or what GET /drift answers; or it is
records, JSON lines, which a worker on this machine predicts for. Without it, or as -, it is stdin.

The verdicts are the usual ones: stable up to a PSI of 0.1, changed up to 0.25, above that drift (N. Siddiqi, Credit Risk Scorecards, 2006); and
too few where so few records would have that PSI by chance.

` + whichRun,
		Example: `  skiff drift 3f8b6c3fdddb425fab0cf9b88cfa48de rides.jsonl
  aws logs tail /aws/lambda/ride-duration-prediction --since 1d --format short | skiff drift @champion --fail-above 0.25
  curl -s localhost:8080/drift | skiff drift @champion --html drift.html`,
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := s.compare(cmd.Context(), args)
			if err != nil {
				return err
			}
			if page != "" {
				if err := writePage(page, r); err != nil {
					return err
				}
			}
			if err := s.printDrift(r, asJSON); err != nil {
				return err
			}
			if cmd.Flags().Changed("fail-above") {
				return failAbove(r, most)
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "as JSON, with the counts of all bins")
	cmd.Flags().StringVar(&page, "html", "", "write a page, too, with the bins of all columns")
	cmd.Flags().Float64Var(&most, "fail-above", drift.PSIDrift, "exit with 1 where a PSI is larger, and not by chance")
	s.workerFlag(cmd)
	return cmd
}

// compare compares a run's sketch with what a file has.
func (s *settings) compare(ctx context.Context, args []string) (r *drift.Report, err error) {
	at, err := s.find(ctx, args[0])
	if err != nil {
		return nil, err
	}
	b, err := bundle.Open(ctx, at.folder, at.run)
	if err != nil {
		return nil, err
	}
	sketch, err := b.Sketch(ctx)
	if errors.Is(err, bundle.ErrNoSketch) {
		return nil, hint.With(err, "it gets one from a sample of 500 records or more: make convert MODEL=… SAMPLE=FILE.jsonl")
	}
	if err != nil {
		return nil, err
	}
	name, file := "stdin", s.stdin
	if len(args) > 1 && args[1] != "-" {
		f, err := os.Open(args[1])
		if err != nil {
			return nil, err
		}
		defer f.Close()
		name, file = args[1], f
	}
	input := bufio.NewReaderSize(file, looked)
	begin, err := input.Peek(looked)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	sum, isLog := b.Manifest.Files[bundle.SketchFile], hasLog(begin)
	var log io.Reader = input
	if !isLog {
		if log, err = s.count(ctx, at, input); err != nil {
			return nil, err
		}
	}
	counted, err := drift.Read(log, sketch, sum)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if counted.Counts == nil {
		return nil, nothing(name, b.Manifest.RunID, counted.Others, isLog)
	}
	r = drift.Compare(&b.Manifest, sketch, counted.Counts)
	if isLog {
		r.Hours, r.From, r.To = counted.Hours, counted.Counts.Hour, counted.Last.Add(time.Hour)
	}
	return r, nil
}

// hasLog reports whether a worker's log begins so, and not a file of records.
func hasLog(begin []byte) bool {
	for line := range bytes.Lines(begin) {
		if drift.IsLog(line) {
			return true
		}
	}
	return false
}

// nothing is that there is nothing to compare.
func nothing(name, run string, others int, isLog bool) error {
	advice := "DRIFT=on has a worker count; it tells an hour once it is over, and the last when it stops"
	switch {
	case !isLog:
		advice = "it is a worker's log, or JSON lines, a record each"
	case others > 0:
		advice = fmt.Sprintf("it has counts of other runs, or of another sketch, in %d of its lines", others)
	}
	return hint.With(fmt.Errorf("%s has nothing that was counted for run %s", name, run), advice)
}

// count has the worker predict for records, and returns its log.
func (s *settings) count(ctx context.Context, b *named, records io.Reader) (log io.Reader, err error) {
	dir, err := os.MkdirTemp("", "skiff-drift-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	file := filepath.Join(dir, "records.jsonl")
	if err := writeAll(file, records); err != nil {
		return nil, fmt.Errorf("reading the records: %w", err)
	}
	var said bytes.Buffer
	_, err = s.runWorker(ctx, job{
		bundle: b, args: []string{"-score", file, "-to", filepath.Join(dir, "predictions.jsonl")}, log: &said,
		env: []string{"DRIFT=words", "OUTPUT_META=", "AWS_LAMBDA_LOG_LEVEL="},
	})
	return &said, err
}

func (s *settings) printDrift(r *drift.Report, asJSON bool) error {
	if !asJSON {
		return printDrift(s.stdout, r)
	}
	out := json.NewEncoder(s.stdout)
	out.SetIndent("", "  ")
	out.SetEscapeHTML(false)
	return out.Encode(r)
}

// failAbove returns an error where a PSI is above the most that may be.
func failAbove(r *drift.Report, most float64) error {
	for _, l := range worstFirst(r) {
		if l.PSI > most && l.Verdict != drift.TooFew {
			return hint.With(fmt.Errorf("the PSI of %s is %.3f, above %v", printable(l.Name), l.PSI, most), "--html FILE shows its bins")
		}
	}
	return nil
}
