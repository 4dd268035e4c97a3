package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/lambda/messages"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/skiff-ml/skiff/inference/hint"
)

// panics is a handler that does.
func panics(why any) handlerFunc {
	return func([]byte) ([]byte, error) { panic(why) }
}

// A panic is logged with the request that it was in, and ends the process.
func TestAPanicIsLogged(t *testing.T) {
	var log strings.Builder
	f := function{panics("index out of range"), newLog(&log, noVariables)}
	ctx := lambdacontext.NewContext(t.Context(), &lambdacontext.LambdaContext{AwsRequestID: "request1"})
	_, err := f.Invoke(ctx, nil)
	e, ok := errors.AsType[messages.InvokeResponse_Error](err)
	if !ok || !e.ShouldExit || e.Type != panicked || e.Message != "panic: index out of range" {
		t.Errorf("got %v", err)
	}
	var line struct{ Level, Msg, Error, Stack, RequestID string }
	if err := json.Unmarshal([]byte(log.String()), &line); err != nil || line.Level != "ERROR" || line.Msg != "invocation panicked" ||
		line.Error != e.Message || line.RequestID != "request1" || !strings.Contains(line.Stack, "panics") {
		t.Errorf("%v: logged %s", err, &log)
	}
}

// A worker that can't start says why, to Lambda as well.
func TestServeReportsWhyItDoesNotStart(t *testing.T) {
	var path string
	var body struct{ ErrorMessage, ErrorType string }
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path = r.URL.Path
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			t.Error(err)
		}
		w.WriteHeader(http.StatusAccepted)
	}))
	defer api.Close()
	env := map[string]string{
		"AWS_LAMBDA_RUNTIME_API": strings.TrimPrefix(api.URL, "http://"),
		"RUN_ID":                 "ffffffffffffffffffffffffffffffff",
	}
	err := run(context.Background(), nil, func(name string) string { return env[name] }, nil, io.Discard, io.Discard)
	if err == nil || hint.Of(err) == "" {
		t.Errorf("got %v", err)
	}
	if path != "/2018-06-01/runtime/init/error" || body.ErrorType != "Worker.InitError" || !strings.HasPrefix(body.ErrorMessage, "no bundle of run ffff") {
		t.Errorf("Lambda got %s: %+v", path, body)
	}
}
