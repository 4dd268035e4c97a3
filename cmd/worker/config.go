package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go/logging"

	"github.com/skiff-ml/skiff/inference"
	"github.com/skiff-ml/skiff/inference/alias"
	"github.com/skiff-ml/skiff/inference/bundle"
	"github.com/skiff-ml/skiff/inference/hint"
	"github.com/skiff-ml/skiff/inference/sink"
	"github.com/skiff-ml/skiff/inference/store"
	"github.com/skiff-ml/skiff/inference/unpack"
)

// A config is what the environment says.
type config struct {
	runID           string
	alias           string        // of the run, where RUN_ID is @alias; then runID is empty
	refresh         time.Duration // how often its pointer is looked at; 0: never
	modelLocation   string
	modelBucket     string
	experiment      string
	trust           bundle.Trust
	stream          sink.Stream
	deadLetter      openTarget // nil: none
	canary          canary     // whose run is empty where there is none
	shadow          string     // a run; empty: none
	threshold       float64    // of its differences
	testRun         bool
	reported        bool // whoever invokes reads batchItemFailures
	unpack          unpack.Formats
	outgoing        inference.Outgoing
	metrics         bool   // a line for each invocation
	namespace       string // of the metrics
	drift           string // driftOff, driftOn or driftWords
	function        string // the Lambda function's name
	kinesisEndpoint string
	s3Endpoint      string
	sqsEndpoint     string
	library         string
	operators       string
}

// maxRefresh is the most that MODEL_REFRESH_SECONDS may be: a day.
const maxRefresh = 24 * time.Hour

func readConfig(getenv func(string) string) (*config, error) {
	or := func(name, otherwise string) string {
		if v := getenv(name); v != "" {
			return v
		}
		return otherwise
	}
	c := &config{
		runID:           getenv("RUN_ID"),
		modelLocation:   getenv("MODEL_LOCATION"),
		modelBucket:     getenv("MODEL_BUCKET"),
		experiment:      or("MLFLOW_EXPERIMENT_ID", "1"),
		kinesisEndpoint: getenv("KINESIS_ENDPOINT_URL"),
		s3Endpoint:      getenv("S3_ENDPOINT_URL"),
		sqsEndpoint:     getenv("SQS_ENDPOINT_URL"),
		library:         getenv("ONNXRUNTIME_LIB"),
		operators:       getenv("SKIFF_LIB"),
	}
	if err := c.readTrust(getenv); err != nil {
		return nil, err
	}
	if err := c.readPlaces(getenv, or("PREDICTIONS_STREAM_NAME", "ride_predictions")); err != nil {
		return nil, err
	}
	var err error
	if c.testRun, err = isTrue("TEST_RUN", getenv("TEST_RUN")); err != nil {
		return nil, err
	}
	if c.reported, err = isTrue("REPORT_BATCH_ITEM_FAILURES", getenv("REPORT_BATCH_ITEM_FAILURES")); err != nil {
		return nil, err
	}
	if c.unpack, err = unpack.Parse(or("RECORD_UNPACK", "all")); err != nil {
		return nil, fmt.Errorf("RECORD_UNPACK: %w", err)
	}
	if err = c.readOutgoing(getenv); err != nil {
		return nil, err
	}
	c.namespace, c.function = or("METRICS_NAMESPACE", "skiff"), or("AWS_LAMBDA_FUNCTION_NAME", "none")
	switch value := or("METRICS", "off"); value {
	case "emf", "off":
		c.metrics = value == "emf"
	default:
		return nil, hint.With(fmt.Errorf("METRICS is %q", value), "it is emf, or off")
	}
	switch c.drift = or("DRIFT", driftOff); c.drift {
	case driftOff, driftOn, driftWords:
	default:
		return nil, hint.With(fmt.Errorf("DRIFT is %q", c.drift), "it is on, words, or off")
	}
	if err := c.readCompanions(getenv); err != nil {
		return nil, err
	}
	seconds, err := strconv.ParseFloat(or("MODEL_REFRESH_SECONDS", "60"), 64)
	if err != nil || !(seconds >= 0 && seconds <= maxRefresh.Seconds()) {
		return nil, hint.With(fmt.Errorf("MODEL_REFRESH_SECONDS is %q", getenv("MODEL_REFRESH_SECONDS")), "it is a number of seconds, such as 60; 0 is never")
	}
	c.refresh = time.Duration(seconds * float64(time.Second))
	if name, ok := alias.Of(c.runID); ok {
		c.alias, c.runID = name, ""
		if c.modelLocation != "" {
			return nil, hint.With(fmt.Errorf("RUN_ID is @%s, and MODEL_LOCATION is one run's", name),
				"set MODEL_BUCKET instead, or put the alias beside the runs in models/")
		}
		if c.trust.SHA256 != "" {
			return nil, hint.With(fmt.Errorf("RUN_ID is @%s, and MODEL_SHA256 is one run's", name),
				"leave it out: the alias has the SHA-256 of the bundle that was promoted; MODEL_PUBLIC_KEY takes all that are signed")
		}
		return c, alias.Check(name)
	}
	if c.runID == "" {
		if c.modelLocation == "" {
			return nil, hint.With(errors.New("RUN_ID is not set"),
				"set RUN_ID to the run whose model is to be served; models/ has a folder for each converted run")
		}
		return c, nil // the bundle says which run it is
	}
	return c, bundle.CheckRunID(c.runID)
}

// readCompanions reads what runs are beside the one that serves.
func (c *config) readCompanions(getenv func(string) string) (err error) {
	if s := getenv("CANARY"); s != "" {
		if c.canary, err = parseCanary(s); err != nil {
			return fmt.Errorf("CANARY: %w", err)
		}
	}
	if c.shadow = getenv("SHADOW_RUN_ID"); c.shadow != "" {
		if err := bundle.CheckRunID(c.shadow); err != nil {
			return fmt.Errorf("SHADOW_RUN_ID: %w", err)
		}
	}
	if c.modelLocation != "" && (c.shadow != "" || c.canary.runID != "") {
		return hint.With(errors.New("MODEL_LOCATION is one run's, and there is a CANARY or a SHADOW_RUN_ID"),
			"set MODEL_BUCKET instead, or put the runs into models/")
	}
	if s := getenv("SHADOW_THRESHOLD"); s != "" {
		if c.threshold, err = strconv.ParseFloat(s, 64); err != nil || !(c.threshold >= 0) {
			return hint.With(fmt.Errorf("SHADOW_THRESHOLD is %q", s), "it is a number in the prediction's unit, such as 0.5")
		}
	}
	return nil
}

// readPlaces reads where things are, and checks it: what is written wrong is to
// be known now, and not with the first record.
func (c *config) readPlaces(getenv func(string) string, stream string) (err error) {
	for _, variable := range []string{
		"KINESIS_ENDPOINT_URL", "S3_ENDPOINT_URL", "SQS_ENDPOINT_URL",
		"AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_KINESIS", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL_SQS",
	} {
		if err := checkEndpoint(getenv(variable)); err != nil {
			return fmt.Errorf("%s: %w", variable, err)
		}
	}
	if c.modelBucket != "" {
		if err := store.CheckBucket(c.modelBucket); err != nil {
			return fmt.Errorf("MODEL_BUCKET: %w", err)
		}
	}
	if strings.HasPrefix(c.modelLocation, "s3:") {
		if _, err := store.ParseLocation(c.modelLocation); err != nil {
			return fmt.Errorf("MODEL_LOCATION: %w", err)
		}
	}
	if c.stream, err = sink.ParseStream(stream); err != nil {
		return fmt.Errorf("PREDICTIONS_STREAM_NAME: %w", err)
	}
	if place := getenv("DEAD_LETTER"); place != "" {
		if c.deadLetter, err = parseDeadLetter(place, c.stream); err != nil {
			return fmt.Errorf("DEAD_LETTER: %w", err)
		}
	}
	return nil
}

// readTrust reads which bundles may be served.
func (c *config) readTrust(getenv func(string) string) (err error) {
	if c.trust.SHA256 = getenv("MODEL_SHA256"); c.trust.SHA256 != "" {
		if sum, err := hex.DecodeString(c.trust.SHA256); err != nil || len(sum) != sha256.Size {
			return hint.With(fmt.Errorf("MODEL_SHA256 is %.80q", c.trust.SHA256), "it is what `sha256sum manifest.json` prints: 64 hexadecimal digits")
		}
	}
	if key := getenv("MODEL_PUBLIC_KEY"); key != "" {
		if c.trust.PublicKey, err = bundle.ParsePublicKey(key); err != nil {
			return fmt.Errorf("MODEL_PUBLIC_KEY: %w", err)
		}
	}
	return nil
}

// checkEndpoint returns an error for what is no service's URL.
func checkEndpoint(endpoint string) error {
	if endpoint == "" {
		return nil
	}
	u, err := url.Parse(endpoint)
	if err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Hostname() != "" && u.RawQuery == "" && u.Fragment == "" &&
		!strings.ContainsAny(endpoint, "\"'` \t") {
		return nil
	}
	return hint.With(fmt.Errorf("%q is not a URL", endpoint), "it is like http://localhost:4566: with http or https, and without quotes or spaces")
}

// besideWorker returns the folder of the running program.
func besideWorker() string {
	program, err := os.Executable()
	if err != nil {
		return "."
	}
	return filepath.Dir(program)
}

// A lazyAWS reads the SDK's configuration when it is first needed: a test run
// of a bundle on disk needs none. What goes wrong comes back as an error: the
// SDK's own log lines are not the worker's.
type lazyAWS struct{ loaded *aws.Config }

func (l *lazyAWS) config(ctx context.Context) (aws.Config, error) {
	if l.loaded != nil {
		return *l.loaded, nil
	}
	cfg, err := awsconfig.LoadDefaultConfig(ctx, awsconfig.WithLogger(logging.Nop{}))
	if err != nil {
		return aws.Config{}, fmt.Errorf("reading the AWS configuration: %w", err)
	}
	if err := unreadable(); err != nil {
		return aws.Config{}, err
	}
	if cfg.Region == "" {
		return aws.Config{}, hint.With(errors.New("no AWS region is set"), "set AWS_REGION, for example to us-east-1")
	}
	if _, err := cfg.Credentials.Retrieve(ctx); err != nil { // here and now, not with the first record
		return aws.Config{}, hint.With(fmt.Errorf("finding AWS credentials: %w", err),
			"in Lambda the function's role has them; elsewhere set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or TEST_RUN=True")
	}
	l.loaded = &cfg
	return cfg, nil
}

// unreadable returns an error for one of the SDK's files that is there but may
// not be read: the SDK passes it over. A folder mounted into the image, which
// isn't root's, has such files.
func unreadable() error {
	for variable, file := range map[string]string{
		"AWS_SHARED_CREDENTIALS_FILE": awsconfig.DefaultSharedCredentialsFilename(),
		"AWS_CONFIG_FILE":             awsconfig.DefaultSharedConfigFilename(),
	} {
		if named := os.Getenv(variable); named != "" {
			file = named
		}
		f, err := os.Open(file)
		if errors.Is(err, os.ErrPermission) {
			return hint.With(fmt.Errorf("reading the AWS configuration: %w", err),
				`run the container as the files' owner: docker run --user "$(id -u)"`)
		}
		if err == nil {
			_ = f.Close()
		}
	}
	return nil
}
