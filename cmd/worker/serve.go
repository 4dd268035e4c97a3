package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	stdlog "log"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambda/messages"

	"skiff/cmd/internal/command"
	"skiff/inference/hint"
)

// initTime is what loading may take: a second less than Lambda gives a
// function to start, so that there is an answer to what went wrong. Elsewhere
// it may take startTime.
const (
	initTime  = 9 * time.Second
	startTime = time.Minute
)

// gcPercent lets the heap grow to five times what is in use before it is
// collected. What is in use is small, some 10 MB, so that a function of 128 MB
// has room for it; and it takes a fifth off the processor time of a record.
const gcPercent = 400

// serve handles Lambda's invocations until the process is told to stop.
func serve(ctx context.Context, getenv func(string) string, log *slog.Logger) error {
	runtimeAPI := getenv("AWS_LAMBDA_RUNTIME_API")
	if runtimeAPI == "" {
		return hint.With(errors.New("this is not Lambda: AWS_LAMBDA_RUNTIME_API is not set"),
			"try `worker -event FILE`, `worker -check` or `make run`")
	}
	if getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	w, err := start(ctx, getenv, log, true, initTime)
	if err != nil {
		return errors.Join(err, reportInitError(ctx, runtimeAPI, err))
	}
	defer w.session.Close() //nolint:errcheck // the process ends here
	w.logReady(ctx, log)
	stdlog.SetFlags(0)
	stdlog.SetOutput(clientLog{log})
	go lambda.StartWithOptions(function{w.source}, lambda.WithContext(ctx)) // never returns
	<-ctx.Done()
	return nil
}

// A clientLog takes what Lambda's runtime client logs: a panic, for one. Of an
// invocation that fails the handler has said all.
type clientLog struct{ log *slog.Logger }

// Write implements [io.Writer].
func (c clientLog) Write(line []byte) (int, error) {
	if !bytes.Contains(line, []byte(failed)) {
		c.log.LogAttrs(context.Background(), slog.LevelError, "the runtime client", slog.String("error", string(bytes.TrimSpace(line))))
	}
	return len(line), nil
}

// failed is the type of an invocation's error.
const failed = "Worker.Error"

// A function is a handler whose errors are Lambda's: of one type, whatever
// went wrong, and in one line with the hint.
type function struct{ handler lambda.Handler }

// Invoke implements [lambda.Handler].
func (f function) Invoke(ctx context.Context, event []byte) ([]byte, error) {
	response, err := f.handler.Invoke(ctx, event)
	if err != nil {
		return nil, lambdaError(failed, err)
	}
	return response, nil
}

func lambdaError(kind string, err error) messages.InvokeResponse_Error {
	message := command.OneLine(err)
	if advice := command.Hint(err); advice != "" {
		message += "; hint: " + advice
	}
	return messages.InvokeResponse_Error{Type: kind, Message: message}
}

// start is load, in time.
func start(ctx context.Context, getenv func(string) string, log *slog.Logger, publishes bool, most time.Duration) (*worker, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, most, fmt.Errorf("starting took longer than %v", most))
	defer cancel()
	w, err := load(ctx, getenv, log, publishes)
	if err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return nil, hint.With(fmt.Errorf("%w: %w", context.Cause(ctx), err),
			"is there a way from the function to S3? in a VPC it needs an endpoint; or put the bundle in the image")
	}
	return w, err
}

// reportInitError tells Lambda why the worker does not start, so that whoever
// invokes it is told as well. The runtime client has no call for it.
func reportInitError(ctx context.Context, runtimeAPI string, why error) error {
	const kind = "Worker.InitError"
	body, err := json.Marshal(lambdaError(kind, why))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost,
		"http://"+runtimeAPI+"/2018-06-01/runtime/init/error", bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Lambda-Runtime-Function-Error-Type", kind)
	client := &http.Client{Transport: &http.Transport{}} // past any proxy, as the runtime client does
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	return response.Body.Close()
}
