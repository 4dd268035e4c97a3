package main

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"skiff/inference"
)

type handlerFunc func(event []byte) ([]byte, error)

func (f handlerFunc) Invoke(_ context.Context, event []byte) ([]byte, error) { return f(event) }

func TestInvocations(t *testing.T) {
	server := httptest.NewServer(invocations(function{handlerFunc(func(event []byte) ([]byte, error) {
		if string(event) == "bad" {
			return nil, inference.WithHint(errors.Join(errors.New("decoding the event"), errors.New(`it is "bad"`)), "send a good one")
		}
		return append([]byte("answer to "), event...), nil
	})}))
	defer server.Close()
	const function = "/2015-03-31/functions/function/invocations"
	for name, test := range map[string]struct {
		method, path, event string
		status              int
		failed              string
		want                string
	}{
		"an event":             {"POST", function, "event", 200, "", "answer to event"},
		"a function's name":    {"POST", "/2015-03-31/functions/rides/invocations", "event", 200, "", "answer to event"},
		"a failure":            {"POST", function, "bad", 200, "Unhandled", `{"errorMessage":"decoding the event; it is \"bad\"; hint: send a good one","errorType":"Worker.Error"}`},
		"too large":            {"POST", function, strings.Repeat(" ", maxRequest+1), 413, "", "reading the event: http: request body too large\n"},
		"no event":             {"GET", function, "", 405, "", "Method Not Allowed\n"},
		"something else's API": {"POST", "/", "event", 404, "", "404 page not found\n"},
	} {
		t.Run(name, func(t *testing.T) {
			request, err := http.NewRequestWithContext(t.Context(), test.method, server.URL+test.path, strings.NewReader(test.event))
			if err != nil {
				t.Fatal(err)
			}
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			body, err := io.ReadAll(response.Body)
			if err != nil {
				t.Fatal(err)
			}
			if response.StatusCode != test.status || string(body) != test.want || response.Header.Get("X-Amz-Function-Error") != test.failed {
				t.Errorf("got %s, %q, failed %q", response.Status, body, response.Header.Get("X-Amz-Function-Error"))
			}
		})
	}
}
