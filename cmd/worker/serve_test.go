package main

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"skiff/inference/hint"
)

// What the handler has logged is not logged again; a panic is.
func TestClientLog(t *testing.T) {
	var log strings.Builder
	client := clientLog{slog.New(slog.NewTextHandler(&log, nil))}
	_, err := function{handlerFunc(func([]byte) ([]byte, error) { return nil, io.ErrUnexpectedEOF })}.Invoke(t.Context(), nil)
	raw, _ := json.Marshal(err)
	for _, line := range []string{string(raw), `{"errorMessage":"index out of range","errorType":"boundsError"}`} {
		if n, err := io.WriteString(client, line+"\n"); n != len(line)+1 || err != nil {
			t.Errorf("%d bytes, %v", n, err)
		}
	}
	if got := log.String(); strings.Contains(got, "EOF") || !strings.Contains(got, "index out of range") || strings.Count(got, "\n") != 1 {
		t.Errorf("logged %s", got)
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
