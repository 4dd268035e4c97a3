package main

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"skiff/inference"
)

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
	if err == nil || inference.Hint(err) == "" {
		t.Errorf("got %v", err)
	}
	if path != "/2018-06-01/runtime/init/error" || body.ErrorType != "Worker.InitError" || !strings.HasPrefix(body.ErrorMessage, "no bundle of run ffff") {
		t.Errorf("Lambda got %s: %+v", path, body)
	}
}
