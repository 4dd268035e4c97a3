package main

import (
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/lambdacontext"
)

func noVariables(string) string { return "" }

func TestLogHasTheRequestID(t *testing.T) {
	ctx := lambdacontext.NewContext(t.Context(), &lambdacontext.LambdaContext{AwsRequestID: "request1"})
	for name, test := range map[string]struct {
		format string
		keys   string
	}{
		"no format": {"", "level msg n requestId time"},
		"Text":      {"Text", "level msg n requestId time"},
		"JSON":      {"JSON", "level message n requestId timestamp"},
	} {
		t.Run(name, func(t *testing.T) {
			var out strings.Builder
			log := newLog(&out, func(name string) string { return map[string]string{"AWS_LAMBDA_LOG_FORMAT": test.format}[name] })
			log.With("n", 1).InfoContext(ctx, "invocation")
			var line map[string]any
			if err := json.Unmarshal([]byte(out.String()), &line); err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(slices.Sorted(maps.Keys(line)), " "); got != test.keys || line["requestId"] != "request1" {
				t.Errorf("logged %s, want %s", out.String(), test.keys)
			}
			out.Reset()
			log.Info("ready")
			if strings.Contains(out.String(), "requestId") {
				t.Errorf("logged %s outside an invocation", out.String())
			}
		})
	}
}

func TestLogLevel(t *testing.T) {
	for name, want := range map[string]string{
		"": "INFO WARN ERROR", "TRACE": "DEBUG INFO WARN ERROR", "DEBUG": "DEBUG INFO WARN ERROR", "INFO": "INFO WARN ERROR",
		"WARN": "WARN ERROR", "ERROR": "ERROR", "FATAL": "", "loud": "INFO WARN ERROR",
	} {
		log := newLog(io.Discard, func(variable string) string { return map[string]string{"AWS_LAMBDA_LOG_LEVEL": name}[variable] })
		var got []string
		for _, level := range []slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError} {
			if log.Enabled(t.Context(), level) {
				got = append(got, level.String())
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q: logs %s, want %s", name, got, want)
		}
	}
}

// What the worker has logged itself is not logged again. All else is: also what
// only speaks of it.
func TestClientLog(t *testing.T) {
	asClientHas := func(why error) string {
		raw, err := json.Marshal(why)
		if err != nil {
			t.Fatal(err)
		}
		return string(raw)
	}
	fails := function{handlerFunc(func([]byte) ([]byte, error) { return nil, errors.New("no") }), slog.New(slog.DiscardHandler)}
	_, failure := fails.Invoke(t.Context(), nil)
	_, panicking := function{panics("no"), slog.New(slog.DiscardHandler)}.Invoke(t.Context(), nil)
	for name, test := range map[string]struct {
		line   string
		logged bool
	}{
		"an invocation's error":      {asClientHas(failure), false},
		"a panic in one":             {asClientHas(panicking), false},
		"a panic of the client's":    {`{"errorMessage":"index out of range","errorType":"boundsError"}`, true},
		"one that names the type":    {`{"errorMessage":"a Worker.Error in \"errorType\":\"Worker.Error\"","errorType":"string"}`, true},
		"a type that begins like it": {`{"errorMessage":"no","errorType":"Worker.Errors"}`, true},
		"a line of text":             {`failed to POST to Worker.Error: got unexpected status code: 500`, true},
		"a string of JSON":           {`"Worker.Error"`, true},
		"nothing":                    {``, true},
	} {
		t.Run(name, func(t *testing.T) {
			var log strings.Builder
			if n, err := io.WriteString(clientLog{newLog(&log, noVariables)}, test.line+"\n"); n != len(test.line)+1 || err != nil {
				t.Errorf("%d bytes, %v", n, err)
			}
			if want := map[bool]int{true: 1}[test.logged]; strings.Count(log.String(), "\n") != want {
				t.Errorf("logged %q", log.String())
			}
		})
	}
}
