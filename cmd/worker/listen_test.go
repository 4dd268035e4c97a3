package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"strings"
	"testing"
	"time"

	"github.com/skiff-ml/skiff/inference/hint"
	"github.com/skiff-ml/skiff/inference/limits"
)

type handlerFunc func(event []byte) ([]byte, error)

func (f handlerFunc) Invoke(_ context.Context, event []byte) ([]byte, error) { return f(event) }

// post posts an event, and closes read once that is being read.
func post(t *testing.T, url, event string, read chan<- struct{}) <-chan string {
	t.Helper()
	answered := make(chan string, 1)
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{Got100Continue: func() { close(read) }})
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/2015-03-31/functions/function/invocations", strings.NewReader(event))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Expect", "100-continue")
	go func() {
		response, err := (&http.Transport{ExpectContinueTimeout: patience}).RoundTrip(request)
		if err != nil {
			answered <- err.Error()
			return
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err != nil {
			body = []byte(err.Error())
		}
		answered <- string(body)
	}()
	return answered
}

// Who stops a container waits for the answer under way; the next events are
// handed back.
func TestAnsweredBeforeTheEnd(t *testing.T) {
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	came, release := make(chan struct{}), make(chan struct{})
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- answer(ctx, listener, handlerFunc(func(event []byte) ([]byte, error) {
			close(came)
			<-release
			return event, nil
		}), slog.New(slog.DiscardHandler), nil)
	}()
	url := "http://" + listener.Addr().String()
	first := post(t, url, "first", make(chan struct{}))
	<-came
	queued := make(chan struct{})
	second := post(t, url, "second", queued)
	<-queued
	stop()
	for deadline := time.Now().Add(patience); ; { // until it takes no more
		connection, err := (&net.Dialer{Timeout: time.Second}).DialContext(t.Context(), "tcp", listener.Addr().String())
		if err != nil {
			break
		}
		_ = connection.Close()
		if time.Now().After(deadline) {
			t.Fatal("it still listens")
		}
	}
	select {
	case err := <-ended:
		t.Errorf("it ended before its answer: %v", err)
	default:
	}
	close(release)
	if got := <-first; got != "first" {
		t.Errorf("the answer is %q", got)
	}
	if got, want := <-second, `{"errorMessage":"the worker is stopping","errorType":"Worker.Error"}`; got != want {
		t.Errorf("the second answer is %q", got)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestInvocations(t *testing.T) {
	server := httptest.NewServer(invocations(function{handlerFunc(func(event []byte) ([]byte, error) {
		if string(event) == "bad" {
			return nil, hint.With(errors.Join(errors.New("decoding the event"), errors.New(`it is "bad"`)), "send a good one")
		}
		return append([]byte("answer to "), event...), nil
	}), slog.New(slog.DiscardHandler)}, nil))
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
		"too large":            {"POST", function, strings.Repeat(" ", limits.Request+1), 413, "", "reading the event: http: request body too large\n"},
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
