package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"

	"github.com/skiff-ml/skiff/cmd/internal/command"
	"github.com/skiff-ml/skiff/cmd/tools/internal/measuring"
	"github.com/skiff-ml/skiff/inference"
	"github.com/skiff-ml/skiff/inference/bundle"
	"github.com/skiff-ml/skiff/inference/model"
	"github.com/skiff-ml/skiff/inference/ort"
	"github.com/skiff-ml/skiff/inference/sink"
	"github.com/skiff-ml/skiff/inference/source"
)

const usage = `Usage: bench -model DIR [-records FILE] [-batch N,N,...] [-format text|json|bench|html]

Compares batch sizes: what the worker's whole handler costs a record, from the
event's bytes to the response's, publishing into a counting sink; its stages;
what metrics, traces, OUTPUT_META, DRIFT (where the bundle has a sketch) and a
shadow add; its cold start; its memory and
CPU time as a Lambda function over a million records, with and without TLS and
aggregation; and what that costs on Lambda.

  -model DIR      a bundle, models/<RUN_ID>
  -records FILE   JSON lines, one record each (the taxi rides of 2019)
  -batch LIST     records an invocation, 1 to 10000
                  (1,10,49,50,51,100,127,128,129,1000,10000: with onnxruntime's
                  own switches at 50 and 128 rows, and both sides of them)
  -format FORMAT  text, json, bench (for benchstat) or html (a page with plots)
  -n N            repetitions of each batch size, which take turns (15)
  -procs N        processors to use, GOMAXPROCS (1)
  -cold=false     leave the cold starts out
  -serve=false    leave the million records out
  -worker FILE    the worker's program (beside bench)

Example:
  bench -model models/3f8b6c3fdddb425fab0cf9b88cfa48de -batch 1,1000 -format bench | benchstat -col /batch -
`

// settings are the command's flags.
type settings struct {
	model, records, worker string
	batches                []int
	write                  func(io.Writer, *Report) error
	repetitions, procs     int
	cold, serve            bool
}

func parse(args []string, stderr io.Writer) (*settings, error) {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	s := &settings{}
	flags.StringVar(&s.model, "model", "", "")
	flags.StringVar(&s.records, "records", "", "")
	flags.StringVar(&s.worker, "worker", "", "")
	batches := flags.String("batch", "1,10,49,50,51,100,127,128,129,1000,10000", "")
	format := flags.String("format", "text", "")
	flags.IntVar(&s.repetitions, "n", 15, "")
	flags.IntVar(&s.procs, "procs", 1, "")
	flags.BoolVar(&s.cold, "cold", true, "")
	flags.BoolVar(&s.serve, "serve", true, "")
	wrong := func(err error) error { return command.Usage("bench", err) }
	if err := command.Parse(flags, args, usage, stderr); err != nil {
		return nil, err
	}
	switch {
	case s.model == "":
		return nil, wrong(errors.New("-model is not set"))
	case s.repetitions < 1 || s.procs < 1:
		return nil, wrong(errors.New("-n and -procs are at least 1"))
	}
	var err error
	if s.batches, err = measuring.ReadBatches(*batches); err != nil {
		return nil, wrong(err)
	}
	var ok bool
	if s.write, ok = writers()[*format]; !ok {
		return nil, wrong(fmt.Errorf("-format %s: it is text, json, bench or html", *format))
	}
	return s, nil
}

// writers are the formats of a report.
func writers() map[string]func(io.Writer, *Report) error {
	return map[string]func(io.Writer, *Report) error{
		"text": writeText, "json": writeJSON, "bench": writeGoBench, "html": writeHTML,
	}
}

// run is the command.
func run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) error {
	s, err := parse(args, stderr)
	if err != nil {
		return err
	}
	beside := "."
	if program, err := os.Executable(); err == nil {
		beside = filepath.Dir(program)
	}
	if s.worker == "" {
		s.worker = filepath.Join(beside, "worker")
	}
	library := getenv("ONNXRUNTIME_LIB")
	if library == "" {
		library = filepath.Join(beside, "..", "lib", "libonnxruntime.so")
	}
	measuring.WarnIfBusy(stderr, "bench")
	report, err := benchmark(ctx, s, library, getenv("SKIFF_LIB"), measuring.NewProgress(stderr))
	if err != nil {
		return err
	}
	return s.write(stdout, report)
}

// benchmark measures everything there is to report.
func benchmark(ctx context.Context, s *settings, library, operators string, p *measuring.Progress) (*Report, error) {
	defer p.Done()
	runtime.GOMAXPROCS(s.procs)
	records, err := readRecords(s.records)
	if err != nil {
		return nil, err
	}
	b, err := bundle.Open(ctx, bundle.Dir(s.model), "")
	if err != nil {
		return nil, err
	}
	if err := ort.Initialize(library); err != nil {
		return nil, err
	}
	session, slower, err := ort.LoadFastest(b, ort.FindOperators(operators, library))
	if err := errors.Join(err, slower); err != nil { // what is measured is what a worker runs
		return nil, err
	}
	defer session.Close() //nolint:errcheck // the process ends here
	published := &taken{}
	served, err := model.New(b, session)
	if err != nil {
		return nil, err
	}
	target := &inference.Target{Sink: published, Limits: sink.KinesisLimits()}
	handler := source.NewKinesis(inference.NewEngine(served, target, nil, slog.New(slog.DiscardHandler)))
	handler.Reported = true // so that what is not predicted is looked at here

	report := newReport(s, b, len(records))
	if report.Results, err = measure(ctx, handler, records, s.batches, s.repetitions, p.Show); err != nil {
		return nil, err
	}
	handled := int64(0)
	for _, r := range report.Results {
		handled += int64(r.Batch * (r.Invocations + distinctEvents)) // every event once before, to be warm
	}
	if got := published.records.Load(); got != handled {
		return nil, fmt.Errorf("%d of %d records were published", got, handled)
	}
	report.Costs = costs(report.Results)
	report.Recommended = recommend(report.Results)
	if report.Beside, err = measureBeside(ctx, b, session, records, s.repetitions, p); err != nil {
		return nil, err
	}
	report.Drift = report.Beside.drift()
	if s.cold {
		first, err := eventsOf(records, 1, 1)
		if err != nil {
			return nil, err
		}
		if report.Cold, err = coldStart(ctx, s.worker, s.model, first[0], p.Show); err != nil {
			return nil, err
		}
	}
	if s.serve {
		servings, err := serve(ctx, s.worker, s.model, records, p.Show)
		if err != nil {
			return nil, err
		}
		report.Serving, report.Otherwise = servings[0], servings[1:]
	}
	return report, nil
}
