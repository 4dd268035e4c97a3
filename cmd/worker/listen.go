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

	"skiff/inference/hint"
)

const (
	maxRequest    = 6 << 20          // bytes of a synchronous request, Lambda's limit
	headerTimeout = 10 * time.Second // for a client to say what it wants
)

// listen answers events over HTTP, outside Lambda, where Lambda's runtime
// interface emulator does. Events are handled one at a time, as in a function.
func listen(ctx context.Context, addr string, getenv func(string) string, log *slog.Logger) error {
	w, err := start(ctx, getenv, log, true, startTime)
	if err != nil {
		return err
	}
	defer w.session.Close() //nolint:errcheck // the process ends here
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	if err != nil {
		return hint.With(fmt.Errorf("listening: %w", err), "-listen takes an address that is free, such as :8080")
	}
	w.logReady(ctx, log)
	log.LogAttrs(ctx, slog.LevelInfo, "listening", slog.String("address", listener.Addr().String()))

	return answer(ctx, listener, function{w.source})
}

// answer answers what comes in at the listener until ctx ends, and then still
// what has come in.
func answer(ctx context.Context, listener net.Listener, function lambda.Handler) error {
	server := &http.Server{Handler: invocations(function), ReadHeaderTimeout: headerTimeout}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	select {
	case err := <-served:
		return fmt.Errorf("listening: %w", err)
	case <-ctx.Done():
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), eventTime)
	defer cancel()
	return server.Shutdown(ctx)
}

// invocations is Lambda's Invoke API for one function, by whatever name. An
// event that fails is answered with status 200 and an errorMessage, as Lambda
// does it.
func invocations(function lambda.Handler) http.Handler {
	one := make(chan struct{}, 1)
	mux := http.NewServeMux()
	mux.HandleFunc("POST /2015-03-31/functions/{name}/invocations", func(w http.ResponseWriter, r *http.Request) {
		event, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
		if err != nil {
			http.Error(w, "reading the event: "+err.Error(), http.StatusRequestEntityTooLarge)
			return
		}
		one <- struct{}{}
		defer func() { <-one }()
		ctx, cancel := context.WithTimeout(r.Context(), eventTime)
		defer cancel()
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
