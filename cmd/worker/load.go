package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"skiff/inference"
	"skiff/inference/bundle"
	"skiff/inference/model"
	"skiff/inference/ort"
	"skiff/inference/sink"
	"skiff/inference/source"
)

// A worker is a model that is loaded and proved, and serves.
type worker struct {
	bundle  *bundle.Bundle
	place   string // where the bundle was
	session *ort.Session
	model   inference.Model
	config  *config
	source  *source.Kinesis
	startup startup
}

// A startup is how long the steps of loading took.
type startup struct {
	bundle      time.Duration // read, checksums verified
	onnxruntime time.Duration // the shared library
	model       time.Duration // the graph into onnxruntime
	goldens     time.Duration // replayed
}

// load finds, loads and proves the bundle that the environment names. A
// worker that publishes nothing needs no AWS for its stream.
func load(ctx context.Context, getenv func(string) string, log *slog.Logger, publishes bool) (*worker, error) {
	cfg, err := readConfig(getenv)
	if err != nil {
		return nil, err
	}
	w := &worker{config: cfg}
	lazy := &lazyAWS{}
	mark := time.Now()
	lap := func(step *time.Duration) {
		now := time.Now()
		*step, mark = now.Sub(mark), now
	}
	if w.bundle, w.place, err = openBundle(ctx, cfg, lazy); err != nil {
		return nil, err
	}
	lap(&w.startup.bundle)
	if err := ort.Initialize(findLibrary(cfg)); err != nil {
		return nil, err
	}
	lap(&w.startup.onnxruntime)
	if w.session, err = ort.Load(w.bundle); err != nil {
		return nil, err
	}
	lap(&w.startup.model)
	var output, deadLetters *inference.Target // nil: nothing to publish to
	if publishes && !cfg.testRun {
		if output, deadLetters, err = targets(ctx, cfg, lazy); err != nil {
			return nil, errors.Join(err, w.session.Close())
		}
	}
	mark = time.Now()
	served, err := model.New(w.bundle, w.session)
	if err != nil {
		return nil, errors.Join(err, w.session.Close())
	}
	lap(&w.startup.goldens)
	w.model = served
	engine := inference.NewEngine(served, output, deadLetters, log)
	engine.Outgoing = cfg.outgoing
	w.source = source.NewKinesis(engine)
	w.source.Reported, w.source.Unpack = cfg.reported, cfg.unpack
	return w, nil
}

// targets returns where predictions go, and dead letters.
func targets(ctx context.Context, cfg *config, lazy *lazyAWS) (output, deadLetters *inference.Target, err error) {
	sdk, err := lazy.config(ctx)
	if err != nil {
		return nil, nil, err
	}
	output = &inference.Target{Sink: sink.NewKinesis(sdk, cfg.stream, cfg.kinesisEndpoint, "PREDICTIONS_STREAM_NAME"), Limits: sink.KinesisLimits()}
	if cfg.deadLetter != nil {
		deadLetters = cfg.deadLetter(sdk, cfg)
	}
	return output, deadLetters, nil
}

// String describes the model in one line.
func (w *worker) String() string {
	m, s := &w.bundle.Manifest, &w.startup
	return fmt.Sprintf("%s: run %s, %s as %s, %d goldens equal (%s), onnxruntime %s, %d ms",
		w.place, m.RunID, m.Estimator, m.Lowering, len(w.bundle.Goldens), m.Parity.Bound,
		ort.Version(), (s.bundle + s.onnxruntime + s.model + s.goldens).Milliseconds())
}

// logReady says what was loaded, and how long each step took.
func (w *worker) logReady(ctx context.Context, log *slog.Logger) {
	m, s := &w.bundle.Manifest, &w.startup
	ms := func(key string, d time.Duration) slog.Attr {
		return slog.Float64(key, float64(d.Microseconds())/1000)
	}
	log.LogAttrs(ctx, slog.LevelInfo, "ready", slog.String("bundle", w.place), slog.String("run_id", m.RunID),
		slog.String("estimator", m.Estimator), slog.String("lowering", m.Lowering), slog.Int("goldens", len(w.bundle.Goldens)),
		slog.String("parity", m.Parity.Bound), slog.String("onnxruntime", ort.Version()),
		ms("bundle_ms", s.bundle), ms("onnxruntime_ms", s.onnxruntime), ms("model_ms", s.model), ms("goldens_ms", s.goldens))
}
