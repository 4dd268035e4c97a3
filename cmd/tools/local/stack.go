package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"skiff/cmd/internal/command"
	"skiff/cmd/internal/lambdatest/mapping"
	"skiff/cmd/internal/lambdatest/process"
	"skiff/cmd/internal/lambdatest/runtimeapi"
	"skiff/inference"
)

// What the local stack is called.
const (
	ridesStream       = "start-ride-events"
	predictionsStream = "ride-predictions"
	functionName      = "ride-duration-prediction"
	awsRegion         = "us-east-1"
	awsAccount        = "000000000000"
	accessKey         = "test" // ministack takes any
)

const (
	ministackStart = 30 * time.Second // a cold start on a busy machine; 1 s is usual
	ministackGrace = 2 * time.Second
	tempPrefix     = "skiff-local-"
	healthInterval = 25 * time.Millisecond
	healthTimeout  = 2 * time.Second
	streamsActive  = 20 * time.Second
)

// stack is everything that runs but the mapping.
type stack struct {
	settings  settings
	endpoint  string // of Kinesis and S3
	kinesis   *kinesis.Client
	s3        *s3.Client
	function  *runtimeapi.Function
	ministack *process.Process
	logs      string // folder
	temp      string // folder, gone after close
	closers   []func()
}

// newStack starts ministack, makes the streams and uploads the bundle. The worker is not started yet. Port 0 is any free one.
func newStack(ctx context.Context, s settings, logs string) (_ *stack, err error) {
	for _, program := range []string{s.worker, s.ministack} {
		if _, err := os.Stat(program); err != nil {
			return nil, inference.WithHint(fmt.Errorf("there is no program %s", shown(program)), "make run builds and installs what is missing")
		}
	}
	st := &stack{settings: s, logs: logs}
	defer func() {
		if err != nil {
			st.close()
		}
	}()
	if err := os.MkdirAll(logs, 0o750); err != nil {
		return nil, fmt.Errorf("making %s: %w", shown(logs), err)
	}
	if st.temp, err = os.MkdirTemp("", tempPrefix); err != nil {
		return nil, fmt.Errorf("making a temporary folder: %w", err)
	}
	st.closers = append(st.closers, func() { _ = os.RemoveAll(st.temp) })
	if err := st.startMinistack(ctx); err != nil {
		return nil, err
	}
	keys := credentials.NewStaticCredentialsProvider(accessKey, accessKey, "")
	// A client of our own is set here, not with config.WithHTTPClient, which fails where AWS_CA_BUNDLE is set.
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: putsInFlight}}
	st.closers = append(st.closers, client.CloseIdleConnections)
	st.kinesis = kinesis.New(kinesis.Options{Region: awsRegion, BaseEndpoint: &st.endpoint, Credentials: keys, HTTPClient: client})
	st.s3 = s3.New(s3.Options{Region: awsRegion, BaseEndpoint: &st.endpoint, Credentials: keys, HTTPClient: client, UsePathStyle: true})
	if err := st.createStreams(ctx); err != nil {
		return nil, err
	}
	if err := upload(ctx, st.s3, s); err != nil {
		return nil, err
	}
	return st, st.makeFunction()
}

// close stops what was started, the last first.
func (st *stack) close() {
	for _, c := range slices.Backward(st.closers) {
		c()
	}
	st.closers = nil
}

// createLog makes a new, empty log.
func (st *stack) createLog(name string) (*os.File, error) {
	f, err := os.Create(filepath.Join(st.logs, name))
	if err != nil {
		return nil, fmt.Errorf("making a log: %w", err)
	}
	st.closers = append(st.closers, func() { _ = f.Close() })
	return f, nil
}

// startMinistack starts ministack on the loopback interface and waits until it answers.
func (st *stack) startMinistack(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, ministackStart)
	defer cancel()
	port, err := freePort(ctx, st.settings.port)
	if err != nil {
		return err
	}
	log, err := st.createLog("ministack.log")
	if err != nil {
		return err
	}
	cmd := exec.Command(st.settings.ministack) //nolint:noctx // named on the command line; stopped with its group by close
	cmd.Dir = st.temp
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Env = append(os.Environ(),
		"GATEWAY_PORT="+strconv.Itoa(port),
		"BIND_HOST=127.0.0.1",
		"MINISTACK_REGION="+awsRegion,
		"MINISTACK_ACCOUNT_ID="+awsAccount,
		"SERVICES=kinesis,s3",
		"IOT_MTLS_ENABLED=0", "SFTP_ENABLED=0", // no other listeners
		"PERSIST_STATE=0", "S3_PERSIST=0",
		"STATE_DIR="+filepath.Join(st.temp, "state"),
		"S3_DATA_DIR="+filepath.Join(st.temp, "s3"),
		"TMPDIR="+st.temp,
		"DOCKER_HOST=unix://"+filepath.Join(st.temp, "none.sock"), // it would look for containers to clean up
	)
	if st.ministack, err = process.Start(cmd); err != nil {
		return err
	}
	st.closers = append(st.closers, func() { st.ministack.Stop(ministackGrace) })
	st.endpoint = fmt.Sprintf("http://127.0.0.1:%d", port)

	tick := time.NewTicker(healthInterval)
	defer tick.Stop()
	for !healthy(ctx, st.endpoint) {
		select {
		case <-tick.C:
		case <-st.ministack.Exited():
			return st.problem(fmt.Errorf("ministack ended at start: %s", st.ministack.Status()), "ministack.log")
		case <-ctx.Done():
			return st.problem(fmt.Errorf("waiting for ministack: %w", ctx.Err()), "ministack.log")
		}
	}
	return nil
}

// problem is err with the last lines of a log.
func (st *stack) problem(err error, log string) error {
	path := filepath.Join(st.logs, log)
	return inference.WithHint(command.WithLog(err, lastLines(path, 8)), "the whole log is "+shown(path))
}

// freePort checks that a port is free on the loopback interface, or finds one for 0.
func freePort(ctx context.Context, port int) (int, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return 0, inference.WithHint(fmt.Errorf("port %d cannot be used: %w", port, err), "-port names another one; make down stops a local stack")
	}
	addr, ok := listener.Addr().(*net.TCPAddr)
	if err := listener.Close(); err != nil {
		return 0, fmt.Errorf("freeing port %d: %w", port, err)
	}
	if !ok {
		return 0, errors.New("a TCP listener without a TCP address")
	}
	return addr.Port, nil
}

// healthy says whether ministack answers.
func healthy(ctx context.Context, endpoint string) bool {
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, endpoint+"/_ministack/health", nil)
	if err != nil {
		return false
	}
	res, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	if err != nil {
		return false
	}
	defer res.Body.Close()
	_, err = io.Copy(io.Discard, res.Body)
	return err == nil && res.StatusCode == http.StatusOK
}

// createStreams makes both streams and waits until they are active.
func (st *stack) createStreams(ctx context.Context) error {
	for _, name := range []string{ridesStream, predictionsStream} {
		in := &kinesis.CreateStreamInput{StreamName: &name, ShardCount: aws.Int32(int32(st.settings.shards))} //nolint:gosec // a few
		if _, err := st.kinesis.CreateStream(ctx, in); err != nil {
			if exists := (*types.ResourceInUseException)(nil); !errors.As(err, &exists) {
				return fmt.Errorf("making stream %s: %w", name, err)
			}
		}
	}
	waiter := kinesis.NewStreamExistsWaiter(st.kinesis, func(o *kinesis.StreamExistsWaiterOptions) {
		o.MinDelay, o.MaxDelay = healthInterval, time.Second
	})
	for _, name := range []string{ridesStream, predictionsStream} {
		if err := waiter.Wait(ctx, &kinesis.DescribeStreamInput{StreamName: &name}, streamsActive); err != nil {
			return fmt.Errorf("waiting for stream %s: %w", name, err)
		}
	}
	return nil
}

// newMapping makes the mapping from the rides stream to the worker. Its log is slog's JSON, as the worker's.
func (st *stack) newMapping(function mapping.Invoker, onFailure mapping.Destination, onProgress func(mapping.Progress)) (*mapping.Mapping, error) {
	log, err := st.createLog("mapping.log")
	if err != nil {
		return nil, err
	}
	source := mapping.NewSource(st.kinesis, ridesStream)
	config := st.settings.mapping
	config.EventSourceARN = fmt.Sprintf("arn:aws:kinesis:%s:%s:stream/%s", awsRegion, awsAccount, ridesStream)
	config.FunctionARN = functionARN()
	config.RoleARN = fmt.Sprintf("arn:aws:iam::%s:role/lambda-kinesis-role", awsAccount)
	return mapping.New(config, mapping.Parts{
		Shards: source, Records: source, Function: function, OnFailure: onFailure, OnProgress: onProgress,
		Log: slog.New(slog.NewJSONHandler(log, nil)),
	})
}
