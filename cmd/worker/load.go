package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"skiff/inference"
	"skiff/inference/scorer"
	"skiff/inference/stream"
)

// A worker is a model that is loaded and proved, and where its output goes.
type worker struct {
	config  *config
	aws     *lazyAWS
	bundle  *inference.Bundle
	session *scorer.Session
	proved  string // one line about the model
}

// load finds, loads and proves the bundle.
func load(ctx context.Context, getenv func(string) string) (*worker, error) {
	began := time.Now()
	cfg, err := readConfig(getenv)
	if err != nil {
		return nil, err
	}
	w := &worker{config: cfg, aws: &lazyAWS{}}
	where := ""
	if w.bundle, where, err = openBundle(ctx, cfg, w.aws); err != nil {
		return nil, err
	}
	if w.session, err = scorer.Load(findLibrary(cfg), w.bundle); err != nil {
		return nil, err
	}
	if err := inference.Prove(w.bundle, w.session); err != nil {
		return nil, errors.Join(err, w.session.Close())
	}
	m := &w.bundle.Manifest
	w.proved = fmt.Sprintf("%s: run %s, %s as %s, %d goldens equal (%s), onnxruntime %s, %d ms",
		where, m.RunID, m.Estimator, m.Lowering, len(w.bundle.Goldens), m.Parity.Bound,
		scorer.Version(), time.Since(began).Milliseconds())
	return w, nil
}

// handler returns what serves the model. In a test run it has no stream, and
// no client is made.
func (w *worker) handler(ctx context.Context, log *slog.Logger) (*inference.Handler, error) {
	var out inference.Stream
	if !w.config.testRun {
		cfg, err := w.aws.config(ctx)
		if err != nil {
			return nil, err
		}
		out = stream.New(cfg, w.config.stream, w.config.kinesisEndpoint)
	}
	return inference.NewHandler(w.bundle, w.session, out, log), nil
}
