package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/skiff-ml/skiff/cmd/internal/command"
	"github.com/skiff-ml/skiff/cmd/tools/internal/measuring"
)

const usage = `Usage: compare [-model NAME] [-batch N,N,...] [-n N] [-starts N] [-steady TIME] [-plot FILE.svg]

Compares skiff with the handler it takes the place of, and with the best that
plain Python, Python with onnxruntime and plain Go make of it: time a record
over batch sizes, cold start, memory, disk. Each runs as a process of its own,
on one processor, over the same events, into a stream that takes everything at
once. make compare prepares the models and runs it.

  -model NAME  forest, or boosted: XGBoost behind a ColumnTransformer (forest)
  -batch LIST  records an invocation, 1 to 10000 (1,10,100,1000,10000)
  -n N         rounds over all candidates and batch sizes (11)
  -starts N    cold starts of each candidate (5)
  -steady TIME how long each serves before its memory is read (3s)
  -plot FILE   draw the times as an SVG
  -inputs DIR  the models (.build/compare, .build/compare-boosted)
  -python FILE the interpreter that has the Python candidates' packages
               (.build/compare-venv/bin/python, or that of compare-boosted-venv)
  -bin DIR     the programs of skiff and plain Go (beside compare)

The last line of stdout is the results as a JSON object. It needs Linux.

Example:
  make compare PLOT=cmd/tools/compare/compare.svg
`

// settings are the command's flags.
type settings struct {
	batches              []int
	rounds, starts       int
	steady               time.Duration
	plot                 string
	model                string
	inputs, python3, bin string
}

// The models.
const (
	forest  = "forest"
	boosted = "boosted"
)

func parse(args []string, stderr io.Writer) (*settings, error) {
	flags := flag.NewFlagSet("compare", flag.ContinueOnError)
	s := &settings{}
	batches := flags.String("batch", "1,10,100,1000,10000", "")
	flags.IntVar(&s.rounds, "n", 11, "")
	flags.IntVar(&s.starts, "starts", 5, "")
	flags.DurationVar(&s.steady, "steady", 3*time.Second, "")
	flags.StringVar(&s.plot, "plot", "", "")
	flags.StringVar(&s.model, "model", forest, "")
	flags.StringVar(&s.inputs, "inputs", "", "")
	flags.StringVar(&s.python3, "python", "", "")
	flags.StringVar(&s.bin, "bin", "", "")
	wrong := func(err error) error { return command.Usage("compare", err) }
	if err := command.Parse(flags, args, usage, stderr); err != nil {
		return nil, err
	}
	switch {
	case s.rounds < 1 || s.starts < 1:
		return nil, wrong(errors.New("-n and -starts are at least 1"))
	case s.model != forest && s.model != boosted:
		return nil, wrong(fmt.Errorf("-model %s: it is %s or %s", s.model, forest, boosted))
	case s.plot != "" && filepath.Ext(s.plot) != ".svg":
		return nil, wrong(fmt.Errorf("-plot %s: it writes .svg", s.plot))
	}
	prepared := filepath.Join(".build", "compare")
	if s.model == boosted {
		prepared += "-boosted"
	}
	if s.inputs == "" {
		s.inputs = prepared
	}
	if s.python3 == "" {
		s.python3 = filepath.Join(prepared+"-venv", "bin", "python")
	}
	var err error
	if s.batches, err = measuring.ReadBatches(*batches); err != nil {
		return nil, wrong(err)
	}
	if s.bin == "" {
		program, err := os.Executable()
		if err != nil {
			return nil, fmt.Errorf("looking for the programs: %w", err)
		}
		s.bin = filepath.Dir(program)
	}
	return s, nil
}

// run is the command.
func run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) error {
	s, err := parse(args, stderr)
	if err != nil {
		return err
	}
	if runtime.GOOS != "linux" {
		return errors.New("this needs Linux: it reads the candidates' memory from /proc")
	}
	library := getenv("ONNXRUNTIME_LIB")
	if library == "" {
		library = filepath.Join(".build", "lib", "libonnxruntime.so")
	}
	c, err := newComparison(s, library, measuring.NewProgress(stderr))
	if err != nil {
		return err
	}
	measuring.WarnIfBusy(stderr, "compare")
	report, err := c.compare(ctx)
	if err != nil {
		return err
	}
	if s.plot != "" {
		if err := writePlot(s.plot, report); err != nil {
			return err
		}
	}
	if err := writeText(stdout, report); err != nil {
		return err
	}
	return writeJSON(stdout, report)
}

// A comparison is what all the stages need.
type comparison struct {
	*settings
	candidates []*candidate
	cpu        int // the processor that the candidates run on
	events     *eventFiles
	progress   *measuring.Progress
}

func newComparison(s *settings, library string, p *measuring.Progress) (*comparison, error) {
	c := &comparison{settings: s, progress: p}
	var err error
	if c.cpu, err = lastProcessor(); err != nil {
		return nil, err
	}
	if c.candidates, err = candidates(s, library); err != nil {
		return nil, err
	}
	p.Show("writing events")
	c.events, err = writeEvents(filepath.Join(s.inputs, "events"), s.batches)
	return c, err
}

// compare runs the stages.
func (c *comparison) compare(ctx context.Context) (*Report, error) {
	defer c.progress.Done()
	r := newReport(c)
	expected, err := readPredictions(filepath.Join(c.inputs, "predictions.json"))
	if err != nil {
		return nil, err
	}
	processes, stop, err := c.startAll(ctx)
	defer stop()
	if err != nil {
		return nil, err
	}
	for _, p := range processes {
		c.progress.Show(p.who + ": comparing predictions")
		agreement, err := c.check(p, expected)
		if err != nil {
			return nil, err
		}
		r.Predictions[p.who] = agreement
	}
	if r.Results, err = c.measure(ctx, processes); err != nil {
		return nil, err
	}
	stop()
	if err := c.coldStarts(ctx, r); err != nil {
		return nil, err
	}
	if err := c.memory(ctx, r); err != nil {
		return nil, err
	}
	return r, c.disk(ctx, r)
}
