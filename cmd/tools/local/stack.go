package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"

	"github.com/skiff-ml/skiff/cmd/internal/command"
	"github.com/skiff-ml/skiff/cmd/internal/lambdatest/mapping"
	"github.com/skiff-ml/skiff/cmd/internal/lambdatest/ministack"
	"github.com/skiff-ml/skiff/cmd/internal/lambdatest/runtimeapi"
	"github.com/skiff-ml/skiff/cmd/internal/localstate"
	"github.com/skiff-ml/skiff/inference/hint"
)

// functionName is what the worker is called, as a function.
const functionName = "ride-duration-prediction"

const tempPrefix = "skiff-local-"

// stack is everything that runs but the mapping.
type stack struct {
	settings  settings
	function  *runtimeapi.Function
	env       []string          // more of the worker's variables, which win
	ministack *ministack.Server // Kinesis and S3
	rides     *kinesis.Client   // of the rides stream, which is ministack's unless another is set
	watcher   watcher           // of what the worker answers
	logs      string            // folder
	temp      string            // folder, gone after close
	closers   []func()
}

// newStack starts ministack, makes the streams and uploads the bundle. The worker is not started yet. Port 0 is any free one.
// What S3 is given stays in the folder keep, where there is one.
func newStack(ctx context.Context, s settings, logs, keep string) (_ *stack, err error) {
	for _, program := range []string{s.worker, s.ministack} {
		if _, err := os.Stat(program); err != nil {
			return nil, hint.With(fmt.Errorf("there is no program %s", shown(program)), "make run builds and installs what is missing")
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
	if err := st.startMinistack(ctx, keep); err != nil {
		return nil, err
	}
	if err := st.ministack.CreateStreams(ctx, s.shards, localstate.RidesStream, localstate.PredictionsStream); err != nil {
		return nil, err
	}
	if err := st.ministack.CreateBucket(ctx, localstate.DeadLetterBucket); err != nil {
		return nil, err
	}
	if err := st.ministack.Upload(ctx, localstate.ModelBucket, bundlePrefix(s), s.model); err != nil {
		return nil, err
	}
	st.rides = st.ministack.Kinesis
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
func (st *stack) startMinistack(ctx context.Context, keep string) error {
	port, err := freePort(ctx, st.settings.port)
	if err != nil {
		return err
	}
	log, err := st.createLog("ministack.log")
	if err != nil {
		return err
	}
	st.ministack, err = ministack.Start(ctx, ministack.Config{
		Program: st.settings.ministack, Address: net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), Dir: st.temp, Log: log, Keep: keep,
	})
	if err != nil {
		return st.problem(err, "ministack.log")
	}
	st.closers = append(st.closers, st.ministack.Stop)
	return nil
}

// problem is err with the last lines of a log.
func (st *stack) problem(err error, log string) error {
	path := filepath.Join(st.logs, log)
	return hint.With(command.WithLog(err, lastLines(path, 8)), "the whole log is "+shown(path))
}

// freePort checks that a port is free on the loopback interface, or finds one for 0.
func freePort(ctx context.Context, port int) (int, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return 0, hint.With(fmt.Errorf("port %d cannot be used: %w", port, err), "-port names another one; skiff down stops a local stack")
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

// newMapping makes the mapping from the rides stream to the worker. Its log is slog's JSON, as the worker's.
func (st *stack) newMapping(function mapping.Invoker, onFailure mapping.Destination, onProgress func(mapping.Progress)) (*mapping.Mapping, error) {
	log, err := st.createLog("mapping.log")
	if err != nil {
		return nil, err
	}
	source := mapping.NewSource(st.rides, localstate.RidesStream)
	config := st.settings.mapping
	config.EventSourceARN = fmt.Sprintf("arn:aws:kinesis:%s:%s:stream/%s", ministack.Region, ministack.Account, localstate.RidesStream)
	config.FunctionARN = functionARN()
	config.RoleARN = fmt.Sprintf("arn:aws:iam::%s:role/lambda-kinesis-role", ministack.Account)
	return mapping.New(config, mapping.Parts{
		Shards: source, Records: source, Function: st.watcher.around(function), OnFailure: onFailure, OnProgress: onProgress,
		Log: slog.New(slog.NewJSONHandler(log, nil)),
	})
}
