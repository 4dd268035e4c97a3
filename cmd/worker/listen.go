package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/skiff-ml/skiff/cmd/internal/page"
	"github.com/skiff-ml/skiff/inference/hint"
	"github.com/skiff-ml/skiff/inference/limits"
	"github.com/skiff-ml/skiff/inference/observe"
	"github.com/skiff-ml/skiff/inference/trace"
)

const (
	headerTimeout = 10 * time.Second        // for a client to say what it wants
	lastAnswers   = eventTime + time.Second // for the event under way, and to tell who waits behind it
)

// listen answers events over HTTP, outside Lambda, where Lambda's runtime
// interface emulator does. Events are handled one at a time, as in a function.
func listen(ctx context.Context, addr string, getenv func(string) string, stderr io.Writer, log *slog.Logger) error {
	w, err := start(ctx, getenv, log, true, startTime)
	if err != nil {
		return err
	}
	defer w.close() //nolint:errcheck // the process ends here
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	if err != nil {
		return hint.With(fmt.Errorf("listening: %w", err), "-listen takes an address that is free, such as :8080")
	}
	w.logReady(ctx, log)
	totals := observe.NewTotals()
	w.live = page.New("worker", false, w.links()...)
	w.show(w.serving.Load())
	w.measure(stderr, totals, log)
	log.LogAttrs(ctx, slog.LevelInfo, "listening", slog.String("address", listener.Addr().String()))

	defer w.tellDrift(ctx, true)
	return answer(ctx, listener, w.handler(ctx, log), log, w.pages(totals))
}

// answer answers what comes in at the listener until ctx ends. Then the event
// under way still is handled, and those that wait behind it are handed back.
func answer(ctx context.Context, listener net.Listener, handler lambda.Handler, log *slog.Logger, pages map[string]http.HandlerFunc) error {
	gate := newGate(handler)
	server := &http.Server{
		Handler:           invocations(function{gate, log}, pages),
		ReadHeaderTimeout: headerTimeout,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	select {
	case err := <-served:
		return fmt.Errorf("listening: %w", err)
	case <-ctx.Done():
	}
	gate.close(ctx, log)
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastAnswers)
	defer cancel()
	if err := server.Shutdown(last); err != nil {
		return fmt.Errorf("stopping: %w", err)
	}
	gate.drain()
	gate.report(ctx, log)
	return nil
}

// invocations is Lambda's Invoke API for one function, by whatever name, beside
// pages to look at, by their patterns. An event that fails is answered with
// status 200 and an errorMessage, as Lambda does it.
func invocations(function lambda.Handler, pages map[string]http.HandlerFunc) http.Handler {
	one := make(chan struct{}, 1)
	mux := http.NewServeMux()
	for pattern, page := range pages {
		mux.HandleFunc(pattern, page)
	}
	mux.HandleFunc("POST /2015-03-31/functions/{name}/invocations", func(w http.ResponseWriter, r *http.Request) {
		event, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limits.Request))
		if err != nil {
			http.Error(w, "reading the event: "+err.Error(), http.StatusRequestEntityTooLarge)
			return
		}
		one <- struct{}{}
		defer func() { <-one }()
		ctx, cancel := context.WithTimeout(r.Context(), eventTime)
		defer cancel()
		ctx = trace.WithHeader(ctx, r.Header.Get("X-Amzn-Trace-Id"))
		response, err := function.Invoke(ctx, event)
		w.Header().Set("Content-Type", "application/json")
		if err != nil {
			w.Header().Set("X-Amz-Function-Error", "Unhandled")
			if response, err = json.Marshal(err); err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
				return
			}
		}
		_, _ = w.Write(response) // who asked is gone, if it fails
	})
	return mux
}
