package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"
	"unicode/utf16"

	"github.com/skiff-ml/skiff/cmd/internal/command"
	"github.com/skiff-ml/skiff/inference/hint"
)

const usage = `Usage: worker [-event FILE | -score FILE [-to FILE] | -check | -listen ADDR | -version]

Scores batches of Kinesis records with the model of an MLflow run. In Lambda,
without flags, it serves.

  -event FILE  handle one Lambda event, print the response; - reads stdin. It
               exits 1 where a record is not dealt with: the response says which
  -score FILE  predict for the documents of a file: JSON lines, as they are or
               compressed by gzip, or parquet, with the program rows beside this
               one; on disk, or an s3:// URL. What is stopped goes on with the same
               command
  -to FILE     where those predictions go, likewise (FILE.predictions.jsonl); beside
               it, in FILE.rejected, what there is none for, as dead letters
  -check       load and prove the bundle, print one line
  -listen ADDR outside Lambda, answer events posted to ADDR as Lambda's runtime
               interface emulator does, GET /metrics, /drift and /health, and show
               a live page at /; in Lambda, serve
  -version     print its version

Variables:
  RUN_ID                   which run, or @ALIAS: the run that models/aliases/ALIAS.json
                           names, or aliases/ALIAS.json beside the runs in S3
  MODEL_REFRESH_SECONDS    how often an alias is looked at, at most; 0: never (60)
  MODEL_LOCATION           the bundle's folder or s3:// prefix; otherwise
                           models/RUN_ID, here or beside the worker, otherwise
                           s3://MODEL_BUCKET/MLFLOW_EXPERIMENT_ID/RUN_ID/artifacts/onnx
  MODEL_BUCKET             for that
  MLFLOW_EXPERIMENT_ID     for that (1)
  MODEL_SHA256             the bundle's, of its manifest.json: no other is served
  MODEL_PUBLIC_KEY         only a bundle is served that is signed with its key
  CANARY                   RUN:PERCENT: that share of the keys is predicted by that
                           run
  SHADOW_RUN_ID            a run that predicts the same records, publishes nothing,
                           and is compared
  SHADOW_THRESHOLD         a difference to count (0)
  PREDICTIONS_STREAM_NAME  output stream (ride_predictions)
  DEAD_LETTER              where records go that can never succeed, so that they
                           don't come again: a kinesis://, sqs:// or s3:// URL
  REPORT_BATCH_ITEM_FAILURES
                           True: whoever invokes reads batchItemFailures; else it
                           gets an error where a record is not dealt with (False)
  RECORD_UNPACK            what a record is taken apart from: off, or some of
                           kpl,gzip,zlib,logs,json (all)
  OUTPUT_AGGREGATION       kpl: publish aggregates of predictions, as the Kinesis
                           Producer Library makes them; kpl:N, to N shards (off)
  OUTPUT_NEWLINE           True: end each prediction with a line feed, for Firehose
  OUTPUT_META              True: add to each prediction its event id, when that
                           arrived, the run, and an id to drop repeats by (False)
  ORDERED                  key: predictions leave by their records' partition keys,
                           and those of a key in the order of its records (off)
  METRICS                  emf: each invocation's numbers as a line of CloudWatch's
                           embedded metric format (off)
  METRICS_NAMESPACE        for that (skiff)
  OTEL_EXPORTER_OTLP_ENDPOINT
                           an OpenTelemetry collector, for traces, by HTTP; with
                           OpenTelemetry's other variables (off)
  DRIFT                    on: each hour's values and predictions are counted in the
                           bins of the bundle's sketch, a line of the log; words: with
                           the most frequent words that training did not have (off)
  TEST_RUN                 True: predict and answer, write nothing (False)
  KINESIS_ENDPOINT_URL     stand-in for Kinesis
  S3_ENDPOINT_URL          stand-in for S3
  SQS_ENDPOINT_URL         stand-in for SQS
  ONNXRUNTIME_LIB          libonnxruntime.so, otherwise searched for
  SKIFF_LIB                libskiff.so, which scores trees faster, otherwise that
                           beside it; none: without
  AWS_REGION and the AWS SDK's others
  AWS_LAMBDA_LOG_LEVEL     TRACE, DEBUG, INFO, WARN, ERROR or FATAL (INFO)
  AWS_LAMBDA_LOG_FORMAT    JSON: Lambda's names for time, level and message

On SIGTERM or SIGINT it finishes what is under way and hands back what still
comes; with -event it stops publishing.

Example:
  RUN_ID=` + "0123456789abcdef0123456789abcdef" + ` TEST_RUN=True worker -event event.json
`

// eventTime is what an event given by -event has for itself, as a function in
// Lambda has its timeout.
const eventTime = 30 * time.Second

// release is the version of a released program: go build -ldflags "-X main.release=v1.2.3".
var release string //nolint:gochecknoglobals // the linker sets it

// run is the command.
func run(ctx context.Context, args []string, getenv func(string) string, stdin io.Reader, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("worker", flag.ContinueOnError)
	event := flags.String("event", "", "")
	check := flags.Bool("check", false, "")
	score := flags.String("score", "", "")
	to := flags.String("to", "", "")
	addr := flags.String("listen", "", "")
	version := flags.Bool("version", false, "")
	if err := command.Parse(flags, args, usage, stderr); err != nil {
		return err
	}
	if *version {
		_, err := fmt.Fprintln(stdout, "worker version", cmp.Or(release, command.Version()))
		return err
	}
	if count(*event != "", *score != "", *check, *addr != "") > 1 {
		return command.Usage("worker", errors.New("-event, -score, -check and -listen exclude one another"))
	}
	if *to != "" && *score == "" {
		return command.Usage("worker", errors.New("-to goes with -score"))
	}
	payload, err := readEvent(*event, stdin)
	if err != nil {
		return err
	}

	switch log := newLog(stderr, getenv); {
	case *check:
		return printCheck(ctx, getenv, stdout, log)
	case *score != "":
		return scoreFile(ctx, getenv, *score, *to, stdout, log)
	case *event != "":
		return handleEvent(ctx, getenv, payload, stdout, stderr, log)
	case *addr != "" && getenv("AWS_LAMBDA_RUNTIME_API") == "":
		return listen(ctx, *addr, getenv, stderr, log)
	default:
		return serve(ctx, getenv, stderr, log)
	}
}

// count returns how many of these are so.
func count(conditions ...bool) int {
	n := 0
	for _, is := range conditions {
		if is {
			n++
		}
	}
	return n
}

// printCheck loads and proves the bundle, and says so.
func printCheck(ctx context.Context, getenv func(string) string, stdout io.Writer, log *slog.Logger) error {
	const publishes = false
	w, err := start(ctx, getenv, log, publishes, startTime)
	if err != nil {
		return err
	}
	defer w.close() //nolint:errcheck // the process ends here
	_, err = fmt.Fprintln(stdout, w.serving.Load())
	return err
}

// handleEvent handles one event and prints the response.
func handleEvent(ctx context.Context, getenv func(string) string, event []byte, stdout, stderr io.Writer, log *slog.Logger) error {
	w, err := start(ctx, getenv, log, true, startTime)
	if err != nil {
		return err
	}
	defer w.close() //nolint:errcheck // the process ends here
	w.logReady(ctx, log)
	timed, cancel := context.WithTimeout(ctx, eventTime)
	defer cancel()
	w.measure(stderr, nil, log)
	w.source.Reported = false // who reads this line reads the exit code as well
	response, err := scorer{w, observed{w.source, w.tracer}, log}.Invoke(timed, event)
	w.tellDrift(ctx, true)
	if response != nil {
		if _, err := fmt.Fprintf(stdout, "%s\n", response); err != nil {
			return err
		}
	}
	if err != nil && ctx.Err() != nil {
		return fmt.Errorf("%w: %w", context.Cause(ctx), err)
	}
	return err
}

// readEvent reads the event before anything is loaded: a wrong name should be
// known at once. No name, no event.
func readEvent(name string, stdin io.Reader) ([]byte, error) {
	switch name {
	case "":
		return nil, nil
	case "-":
		event, err := io.ReadAll(stdin)
		return utf8Of(event), err
	}
	event, err := os.ReadFile(name)
	if err != nil {
		return nil, hint.With(fmt.Errorf("reading the event: %w", err), "-event takes a file, or - for stdin")
	}
	return utf8Of(event), nil
}

// utf8Of returns a file's text without its byte order mark, which some editors
// write, and as UTF-8.
func utf8Of(file []byte) []byte {
	if text, ok := bytes.CutPrefix(file, []byte("\xef\xbb\xbf")); ok {
		return text
	}
	var order binary.ByteOrder
	switch {
	case bytes.HasPrefix(file, []byte("\xff\xfe")):
		order = binary.LittleEndian
	case bytes.HasPrefix(file, []byte("\xfe\xff")):
		order = binary.BigEndian
	default:
		return file
	}
	var units []uint16
	for file = file[2:]; len(file) >= 2; file = file[2:] {
		units = append(units, order.Uint16(file))
	}
	return []byte(string(utf16.Decode(units)))
}
