package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"skiff/inference"
	"skiff/inference/scorer"
	"skiff/inference/stream"
)

const usage = `Usage: worker [-event FILE | -check]

Scores batches of Kinesis records with the model of an MLflow run. In Lambda,
without flags, it serves.

  -event FILE  handle one Lambda event, print the response; - reads stdin
  -check       load and prove the bundle, print one line

Variables:
  RUN_ID                   which run
  MODEL_LOCATION           the bundle's folder or s3:// prefix; otherwise
                           models/RUN_ID, here or beside the worker, otherwise
                           s3://MODEL_BUCKET/MLFLOW_EXPERIMENT_ID/RUN_ID/artifacts/onnx
  MODEL_BUCKET             for that
  MLFLOW_EXPERIMENT_ID     for that (1)
  PREDICTIONS_STREAM_NAME  output stream (ride_predictions)
  TEST_RUN                 True: predict and answer, write nothing (False)
  KINESIS_ENDPOINT_URL     stand-in for Kinesis
  S3_ENDPOINT_URL          stand-in for S3
  ONNXRUNTIME_LIB          libonnxruntime.so, otherwise searched for
  AWS_REGION and the AWS SDK's others

Example:
  RUN_ID=` + "0123456789abcdef0123456789abcdef" + ` TEST_RUN=True worker -event event.json
`

// eventTime is what an event given by -event has for itself, as a function in
// Lambda has its timeout.
const eventTime = 30 * time.Second

// errUsage marks an error in how the command was called.
var errUsage = errors.New("usage")

// exitCode prints err, if it is one, and returns the process's exit code.
func exitCode(err error, stderr io.Writer) int {
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return 0
	case errors.Is(err, errUsage):
		return 2 // already said
	}
	fmt.Fprintf(stderr, "worker: error: %s\n", oneLine(err))
	if hint := inference.Hint(err); hint != "" {
		fmt.Fprintf(stderr, "hint: %s\n", hint)
	}
	return 1
}

func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }

// run is the command.
func run(ctx context.Context, args []string, getenv func(string) string, stdin io.Reader, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("worker", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() { fmt.Fprint(stderr, usage) }
	event := flags.String("event", "", "")
	check := flags.Bool("check", false, "")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return err
		}
		return errUsage
	}
	if flags.NArg() > 0 || *check && *event != "" {
		flags.Usage()
		return errUsage
	}
	payload, err := readEvent(*event, stdin)
	if err != nil {
		return err
	}

	w, err := load(ctx, getenv)
	if err != nil {
		return err
	}
	defer w.session.Close() //nolint:errcheck // the process ends here
	if *check {
		_, err := fmt.Fprintln(stdout, w.proved)
		return err
	}
	out, err := w.stream(ctx)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewJSONHandler(stderr, nil))
	handler := inference.NewHandler(w.bundle, w.session, out, log)
	if *event != "" {
		ctx, cancel := context.WithTimeout(ctx, eventTime)
		defer cancel()
		response, err := handler.Invoke(ctx, payload)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(stdout, "%s\n", response)
		return err
	}
	if getenv("AWS_LAMBDA_RUNTIME_API") == "" {
		return inference.WithHint(errors.New("this is not Lambda: AWS_LAMBDA_RUNTIME_API is not set"),
			"try `worker -event FILE`, `worker -check` or `make run`")
	}
	log.Info("serving", "bundle", w.proved)
	go lambda.StartWithOptions(handler, lambda.WithContext(ctx)) // never returns
	<-ctx.Done()
	return nil
}

// readEvent reads the event before anything is loaded: a wrong name should be
// known at once. No name, no event.
func readEvent(name string, stdin io.Reader) ([]byte, error) {
	switch name {
	case "":
		return nil, nil
	case "-":
		return io.ReadAll(stdin)
	}
	event, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("reading the event: %w", err)
	}
	return event, nil
}

// A worker is a model that is loaded and proved, and where its output goes.
type worker struct {
	config  *config
	aws     *lazyAWS
	bundle  *inference.Bundle
	session *scorer.Session
	proved  string // one line about the model
}

// load finds, loads and proves the bundle.
func load(ctx context.Context, getenv func(string) string) (*worker, error) {
	began := time.Now()
	cfg, err := readConfig(getenv)
	if err != nil {
		return nil, err
	}
	w := &worker{config: cfg, aws: &lazyAWS{}}
	where := ""
	if w.bundle, where, err = openBundle(ctx, cfg, w.aws); err != nil {
		return nil, err
	}
	if w.session, err = scorer.Load(findLibrary(cfg), w.bundle); err != nil {
		return nil, err
	}
	if err := inference.Prove(w.bundle, w.session); err != nil {
		return nil, errors.Join(err, w.session.Close())
	}
	m := &w.bundle.Manifest
	w.proved = fmt.Sprintf("%s: run %s, %s as %s, %d goldens equal (%s), onnxruntime %s, %d ms",
		where, m.RunID, m.Estimator, m.Lowering, len(w.bundle.Goldens), m.Parity.Bound,
		scorer.Version(), time.Since(began).Milliseconds())
	return w, nil
}

// stream returns where predictions go: nowhere in a test run, which makes no
// client either.
func (w *worker) stream(ctx context.Context) (inference.Stream, error) {
	if w.config.testRun {
		return nil, nil //nolint:nilnil // a nil Stream publishes nothing
	}
	cfg, err := w.aws.config(ctx)
	if err != nil {
		return nil, err
	}
	return stream.New(cfg, w.config.stream, w.config.kinesisEndpoint), nil
}
