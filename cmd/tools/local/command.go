package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/skiff-ml/skiff/cmd/internal/command"
	"github.com/skiff-ml/skiff/cmd/internal/lambdatest/mapping"
)

const usage = `usage: local run  -run-id ID -worker FILE -model DIR -ministack FILE -rides FILE [-predictions FILE] [-n 20000] [-bad SHARE] [-deadline 3m] [-page ADDR]
       local swap -run-id ID -other ID -worker FILE -skiff FILE -model DIR -ministack FILE -rides FILE [-predictions FILE] [-n 20000] [-deadline 1m]
       local soak -run-id ID -other ID -worker FILE -model DIR -ministack FILE -kinesalite DIR -rides FILE
                  [-predictions FILE] [-n 1000000] [-seed 1] [-deadline 1h]
       local up   -run-id ID -worker FILE -model DIR -ministack FILE [-port 4566] [-alias NAME] [-page ADDR]
       local replay
       local down

Runs the worker on this machine: ministack stands in for Kinesis and S3, and a local event source mapping drives the unmodified worker.

run   streams real rides of 2019 through the worker and compares each prediction with the original pipeline's. Progress goes to stderr; the last
      line of stdout is one JSON object. seconds and records_per_s are of the mapping at work, from its first read to its last answer.
      Exit 1 when a ride is lost, or a prediction is not the pipeline's to the last bit.
      With -bad, that share of the rides is made bad in every way there is, evenly spread, and dead letters are on. Then it is also exit 1 when
      a bad ride is not among them with its reason and its bytes, or is published, and when a good one is not published exactly once.
swap  changes the model under a constant load of rides, by an alias: promotes, rolls back, and promotes what is altered, slow or out of reach.
      The last line of stdout is one JSON object. Exit 1 when a ride is lost, an invocation fails, or a prediction is not that of its run.
soak  streams records through workers that are under fire: their calls to Kinesis, S3 and the dead-letter target are throttled, fail in part,
      break before, in and behind the body, are answered too late or cut short, and their credentials and clock are wrong; they are killed at
      random moments, and changed to another run in the middle; their bundle is on a slow disk, or in S3; and the shards that the rides come by
      are split and merged. At the end each record has its prediction, the original pipeline's to the last bit, or is dead-lettered for its
      reason, and what is there twice is explained by a fault. The last line of stdout is one JSON object. Exit 1 otherwise, with what happened
      to such a record. The seed says which calls fail and how, which invocations are killed and when, which shards are split or merged and at
      which records, and which files are slow; what a busy machine adds to that is its own.
up    leaves the same stack running, for the aws command line; up a second time says so. Dead letters are on, in S3; they are kept over down
      and up, in -dir, until they are deleted there (aws s3 rm --recursive). The streams start empty.
replay
      puts what is held back on the rides stream, as it was: dead letters, and what the mapping gave up. Each is a new record then, behind what
      came since. A letter is deleted when its record is back; one without its record stays. It ends even if they are refused again.
down  stops it.

  -run-id ID         the MLflow run to serve
  -other ID          the run to change to, beside it in DIR's folder (swap, soak)
  -worker FILE       the worker's program
  -skiff FILE        the skiff command (swap)
  -model DIR         the run's bundle, models/<RUN_ID>
  -ministack FILE    ministack's program
  -kinesalite DIR    kinesalite's Node module, whose shards can be split and merged (soak)
  -rides FILE        rides in pick-up order (run, swap, soak)
  -predictions FILE  the pipeline's predictions for them, a column for each run (run, swap, soak; default predictions.parquet beside the rides)
  -n N               how many rides (run; swap, which has them again and again; default 20000), or records, of the same rides again and again
                     (soak; default 1000000)
  -seed N            what faults there are (soak; default 1)
  -bad SHARE         the share of the rides to make bad, above 0 to 1, such as 0.01 (run, default none; soak, default 0.01). No ride can be
                     bad by not_base64: it is Kinesis that encodes a stream's records
  -deadline D        the most it may take (run, default 3m; swap, default 1m; soak, default 1h)
  -alias NAME        serve by an alias, which skiff promote moves; all bundles in DIR's folder are there to be promoted (up)
  -page ADDR         a live page in a browser, at an address of this machine's own, such as 127.0.0.1:8090: rides and predictions as they come,
                     rates, times, what is unknown, the model and what served before. A run leaves it until Ctrl-C (run, up; default none)
  -port N            where Kinesis and S3 answer (up; default 4566)
  -experiment ID     the MLflow experiment, in the bundle's place in S3 (default 1)
  -memory MB         the function's memory, as the worker is told it (default 512)
  -timeout D         the function's timeout (default 15s; swap 4s; soak 3s, since some answers are to be late)
  -shards N          shards of each stream (default 1; soak 2, and as many workers)
  -dir DIR           where logs and state go (default .build/local)

The event source mapping, under AWS's names for its settings:
  -batch N           BatchSize, 1 to 10000 records (default 1000)
  -window D          MaximumBatchingWindowInSeconds, 0s to 300s (default 0s)
  -retries N         MaximumRetryAttempts, -1 for endless (default 2; with dead letters -1: what can never succeed is not retried, and an outage
                     is no reason to give up what can)
  -max-age D         MaximumRecordAgeInSeconds, 60s to 168h, 0s for no limit (default 0s; with dead letters 6h)
  -bisect=BOOL       BisectBatchOnFunctionError (default true)
  -parallel N        ParallelizationFactor, 1 to 10 (default 1); the worker handles one batch after the other all the same
  -tumbling D        TumblingWindowInSeconds, 0s to 900s (default 0s, none)
  -filter PATTERN    FilterCriteria, such as {"data":{"ride":{"trip_distance":[{"numeric":[">",0]}]}}}; again for another, up to 5 (up; default none)
ReportBatchItemFailures is on, and the worker is told so.

example:
  local run -run-id 3f8b6c3fdddb425fab0cf9b88cfa48de -worker .build/bin/worker -model models/3f8b6c3fdddb425fab0cf9b88cfa48de \
      -rides models/taxi/rides.parquet -ministack .build/venv/bin/ministack
`

// settings is the command line, all paths absolute.
type settings struct {
	runID, experiment        string
	worker, model, ministack string
	kinesalite               string // folder
	other, skiff, alias      string
	page                     string // address; "" for none
	rides, predictions       string
	dir                      string
	n, port, memory, shards  int
	readyFD                  int
	bad                      float64 // share of the rides
	deadLetters              bool    // the worker has a target for them
	timeout, deadline        time.Duration
	seed                     uint64
	mapping                  mapping.Config
	onnxruntime              string // ONNXRUNTIME_LIB, handed on to the worker
}

// run is the whole program.
func run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) error {
	if len(args) == 0 {
		return command.Usage("local", errors.New("a command is missing"))
	}
	name, args := args[0], args[1:]
	switch name {
	case "run", "swap", "soak", "up", "serve", "replay", "down":
	case "help", "-h", "-help", "--help":
		_, err := io.WriteString(stdout, usage)
		return err
	default:
		return command.Usage("local", fmt.Errorf("there is no command %q", name))
	}
	s, err := parse(name, args, getenv)
	if errors.Is(err, flag.ErrHelp) {
		_, err := io.WriteString(stdout, usage)
		return err
	}
	if err != nil {
		return command.Usage("local", err)
	}
	switch name {
	case "run":
		return stream(ctx, s, stdout, stderr)
	case "swap":
		return swap(ctx, s, stdout, stderr)
	case "soak":
		return soak(ctx, s, stdout, stderr)
	case "up":
		return up(ctx, s, args, stdout)
	case "serve":
		return serve(ctx, s, stderr)
	case "replay":
		return replay(ctx, s, stdout)
	default:
		return down(ctx, s, stdout)
	}
}

// parse reads the flags of a command: a flag of another command is an error.
func parse(name string, args []string, getenv func(string) string) (settings, error) {
	s := settings{onnxruntime: getenv("ONNXRUNTIME_LIB")}
	fs := flag.NewFlagSet(name, flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	var files []*string
	file := func(p *string, name, value string) {
		fs.StringVar(p, name, value, "")
		files = append(files, p)
	}
	file(&s.dir, "dir", filepath.Join(".build", "local"))
	runs := name != "down" && name != "replay" // the worker
	if runs {
		fs.StringVar(&s.runID, "run-id", "", "")
		fs.StringVar(&s.experiment, "experiment", "1", "")
		file(&s.worker, "worker", "")
		file(&s.model, "model", "")
		file(&s.ministack, "ministack", "")
		fs.IntVar(&s.memory, "memory", 512, "")
		shards, timeout := 1, 15*time.Second
		switch name {
		case "swap": // a change may take half of it
			timeout = 4 * time.Second
		case "soak": // some answers are to be late
			shards, timeout = 2, 3*time.Second
		}
		fs.IntVar(&s.shards, "shards", shards, "")
		fs.DurationVar(&s.timeout, "timeout", timeout, "")
		fs.IntVar(&s.mapping.BatchSize, "batch", 1000, "")
		fs.DurationVar(&s.mapping.MaximumBatchingWindow, "window", 0, "")
		fs.IntVar(&s.mapping.MaximumRetryAttempts, "retries", 2, "")
		fs.DurationVar(&s.mapping.MaximumRecordAge, "max-age", 0, "")
		fs.BoolVar(&s.mapping.BisectBatchOnFunctionError, "bisect", true, "")
		fs.IntVar(&s.mapping.ParallelizationFactor, "parallel", 1, "")
		fs.DurationVar(&s.mapping.TumblingWindow, "tumbling", 0, "")
		fs.Func("filter", "", func(pattern string) error {
			s.mapping.FilterCriteria = append(s.mapping.FilterCriteria, pattern)
			return nil
		})
		s.mapping.ReportBatchItemFailures = true
	}
	switch name {
	case "run":
		file(&s.rides, "rides", "")
		file(&s.predictions, "predictions", "")
		fs.IntVar(&s.n, "n", 20_000, "")
		fs.DurationVar(&s.deadline, "deadline", 3*time.Minute, "")
		fs.Float64Var(&s.bad, "bad", 0, "")
		fs.StringVar(&s.page, "page", "", "")
	case "swap":
		fs.StringVar(&s.other, "other", "", "")
		file(&s.skiff, "skiff", "")
		file(&s.rides, "rides", "")
		file(&s.predictions, "predictions", "")
		fs.IntVar(&s.n, "n", 20_000, "")
		fs.DurationVar(&s.deadline, "deadline", time.Minute, "")
	case "soak":
		file(&s.rides, "rides", "")
		file(&s.predictions, "predictions", "")
		fs.IntVar(&s.n, "n", 1_000_000, "")
		fs.DurationVar(&s.deadline, "deadline", time.Hour, "")
		fs.Float64Var(&s.bad, "bad", 0.01, "")
		fs.StringVar(&s.other, "other", "", "")
		fs.Uint64Var(&s.seed, "seed", 1, "")
		file(&s.kinesalite, "kinesalite", "")
		s.mapping.FirstPause, s.mapping.LastPause, s.mapping.PollInterval = soakFirstPause, soakLastPause, soakPoll
	case "serve":
		fs.IntVar(&s.readyFD, "ready-fd", 0, "") // where up waits for "ready"
		fallthrough
	case "up":
		fs.IntVar(&s.port, "port", 4566, "")
		fs.StringVar(&s.alias, "alias", "", "")
		fs.StringVar(&s.page, "page", "", "")
	}
	if err := fs.Parse(args); err != nil {
		return s, err
	}
	if fs.NArg() > 0 {
		return s, fmt.Errorf("unexpected argument %q", fs.Arg(0))
	}
	streams := name == "run" || name == "swap" || name == "soak"
	if streams && s.predictions == "" {
		s.predictions = filepath.Join(filepath.Dir(s.rides), "predictions.parquet")
	}
	optional := []string{"alias", "page", "filter"}
	var missing error
	fs.VisitAll(func(f *flag.Flag) {
		if missing == nil && f.Value.String() == "" && !slices.Contains(optional, f.Name) {
			missing = fmt.Errorf("-%s is missing", f.Name)
		}
	})
	if missing != nil {
		return s, missing
	}
	if runs && (s.shards < 1 || s.memory < 1 || s.timeout <= 0) || streams && (s.n < 1 || s.deadline <= 0) {
		return s, errors.New("-n, -shards, -memory, -timeout and -deadline have to be above 0")
	}
	if !(s.bad >= 0 && s.bad <= 1) {
		return s, errors.New("-bad is a share, between 0 and 1")
	}
	if s.page != "" {
		if err := checkPage(s.page); err != nil {
			return s, err
		}
	}
	s.deadLetters = runs && (name != "run" && name != "swap" || s.bad > 0)
	if s.deadLetters {
		s.bound(fs)
	}
	if runs {
		if err := s.mapping.Validate(); err != nil {
			return s, err
		}
	}
	for _, f := range append(files, &s.onnxruntime) {
		if *f == "" {
			continue
		}
		abs, err := filepath.Abs(*f)
		if err != nil {
			return s, fmt.Errorf("finding %s: %w", *f, err)
		}
		*f = abs
	}
	return s, nil
}

// What bounds a mapping's retries where the worker has a dead-letter target: not their number, since what can never succeed is not retried, but
// the age of the records, as in deploy/template.yaml.
const (
	deadLetterRetries = mapping.Endless
	deadLetterAge     = 6 * time.Hour
)

// bound sets these bounds, unless the command line sets others.
func (s *settings) bound(fs *flag.FlagSet) {
	given := map[string]bool{}
	fs.Visit(func(f *flag.Flag) { given[f.Name] = true })
	if !given["retries"] {
		s.mapping.MaximumRetryAttempts = deadLetterRetries
	}
	if !given["max-age"] {
		s.mapping.MaximumRecordAge = deadLetterAge
	}
}

// shown is a path as a person would type it from here.
func shown(path string) string {
	if wd, err := os.Getwd(); err == nil {
		if rel, err := filepath.Rel(wd, path); err == nil && filepath.IsLocal(rel) {
			return rel
		}
	}
	return path
}
