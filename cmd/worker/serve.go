package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	stdlog "log"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambda/messages"

	"github.com/skiff-ml/skiff/cmd/internal/command"
	"github.com/skiff-ml/skiff/inference/hint"
)

// heapShare is which part of the function's memory Go may take before it collects
// at any price: half of 128 MB is twice what is in use with the largest event, and
// onnxruntime's library has most of the rest.
const heapShare = 2

// serve handles Lambda's invocations until the process is told to stop, and then
// still those under way.
func serve(ctx context.Context, getenv func(string) string, stderr io.Writer, log *slog.Logger) error {
	runtimeAPI := getenv("AWS_LAMBDA_RUNTIME_API")
	if runtimeAPI == "" {
		return hint.With(errors.New("this is not Lambda: AWS_LAMBDA_RUNTIME_API is not set"),
			"try `worker -event FILE`, `worker -check` or `make run`")
	}
	if size, err := strconv.ParseInt(getenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE"), 10, 32); err == nil && getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(size << 20 / heapShare)
	}
	w, err := start(ctx, getenv, log, true, initTime(getenv("AWS_LAMBDA_INITIALIZATION_TYPE")))
	if err != nil {
		return errors.Join(err, reportInitError(context.WithoutCancel(ctx), runtimeAPI, err))
	}
	defer w.close() //nolint:errcheck // the process ends here
	w.logReady(ctx, log)
	w.measure(stderr, nil, log)
	removeLeftovers(log)
	stdlog.SetFlags(0)
	stdlog.SetOutput(clientLog{log})
	gate := newGate(w.handler(ctx, log))
	go lambda.StartWithOptions(function{gate, log}, lambda.WithContext(context.WithoutCancel(ctx))) // never returns
	<-ctx.Done()
	gate.stop(ctx, log)
	w.tellDrift(ctx, true)
	return nil
}

// The types of an invocation's error.
const (
	failed   = "Worker.Error"
	panicked = "Worker.Panic"
)

// A function is a handler whose errors are Lambda's: of one type, whatever
// went wrong, and in one line with the hint.
type function struct {
	handler lambda.Handler
	log     *slog.Logger
}

// Invoke implements [lambda.Handler].
func (f function) Invoke(ctx context.Context, event []byte) (response []byte, err error) {
	defer func() {
		if why := recover(); why != nil {
			response, err = nil, f.panicked(ctx, why)
		}
	}()
	response, err = f.handler.Invoke(ctx, event)
	if err != nil {
		return nil, lambdaError(failed, err)
	}
	return response, nil
}

// panicked logs a panic, while its request id is known, and returns the error
// that has Lambda's runtime client end the process: nobody knows what state it
// is in.
func (f function) panicked(ctx context.Context, why any) messages.InvokeResponse_Error {
	err := fmt.Errorf("panic: %v", why)
	f.log.LogAttrs(ctx, slog.LevelError, "invocation panicked", slog.String("error", err.Error()), slog.String("stack", string(debug.Stack())))
	e := lambdaError(panicked, err)
	e.ShouldExit = true
	return e
}

func lambdaError(kind string, err error) messages.InvokeResponse_Error {
	message := command.OneLine(err)
	if advice := command.Hint(err); advice != "" {
		message += "; hint: " + advice
	}
	return messages.InvokeResponse_Error{Type: kind, Message: message}
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
