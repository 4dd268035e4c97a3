package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/skiff-ml/skiff/cmd/internal/library"
	"github.com/skiff-ml/skiff/cmd/internal/page"
	"github.com/skiff-ml/skiff/inference"
	"github.com/skiff-ml/skiff/inference/bundle"
	"github.com/skiff-ml/skiff/inference/drift"
	"github.com/skiff-ml/skiff/inference/model"
	"github.com/skiff-ml/skiff/inference/observe"
	"github.com/skiff-ml/skiff/inference/ort"
	"github.com/skiff-ml/skiff/inference/sink"
	"github.com/skiff-ml/skiff/inference/source"
	"github.com/skiff-ml/skiff/inference/trace"
)

// A worker is a model that is loaded and proved, and serves.
type worker struct {
	loader  *loader
	serving atomic.Pointer[loaded] // now
	pointer *pointer
	behind  atomic.Bool                  // the alias stands for something that is not served
	canary  *loaded                      // nil: none, or none yet
	shadow  atomic.Pointer[model.Shadow] // likewise
	current *model.Current               // what predicts
	engine  *inference.Engine
	told    told // of drift
	source  *source.Kinesis
	tracer  *trace.Tracer // nil: none
	live    *page.Page    // nil: nobody looks
}

// A loaded is a run's model, proved and warm: what a swap replaces.
type loaded struct {
	manifest bundle.Manifest // its own copy: a pointer into the bundle would keep the graphs with it
	sha256   string          // of manifest.json
	goldens  int
	place    string // where the bundle was
	graph    string // the file of the one that runs
	model    *model.Model
	drift    *drift.Counter // nil: nothing is counted
	took     steps
}

// Steps are how long the steps of loading took.
type steps struct {
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
	w := &worker{loader: &loader{cfg, &lazyAWS{}, log}}
	if w.tracer, err = trace.New(ctx, getenv, cfg.function, log); err != nil {
		return nil, err
	}
	var first *loaded
	if cfg.alias != "" {
		if w.pointer, err = w.loader.findPointer(ctx); err != nil {
			return nil, err
		}
		first, err = w.loader.loadAlias(ctx, w.pointer, log, publishes)
	} else {
		first, err = w.loader.load(ctx, cfg.runID, "")
	}
	if err != nil {
		return nil, err
	}
	w.serving.Store(first)
	var output, deadLetters *inference.Target // nil: nothing to publish to
	if publishes && !cfg.testRun {
		if output, deadLetters, err = w.loader.targets(ctx); err != nil {
			return nil, errors.Join(err, w.close())
		}
	}
	w.current = model.NewCurrent(first.model)
	if publishes && cfg.canary.runID != "" {
		w.loadCanary(ctx, log)
	}
	w.engine = inference.NewEngine(w.current, output, deadLetters, log)
	w.engine.Outgoing = cfg.outgoing
	w.source = source.NewKinesis(w.engine)
	w.source.Reported, w.source.Unpack = cfg.reported, cfg.unpack
	return w, nil
}

// close frees the models. A shadow may still be at it, and ends with the process.
func (w *worker) close() error {
	err := w.serving.Load().model.Close()
	if w.canary != nil {
		err = errors.Join(err, w.canary.model.Close())
	}
	return err
}

// handler returns what handles events: it measures each, and afterwards does
// what is to be done now and then.
func (w *worker) handler(stopping context.Context, log *slog.Logger) lambda.Handler {
	u := &upkeep{handler: scorer{w, observed{w.source, w.tracer}, log}, stopping: stopping}
	if w.pointer != nil && w.loader.refresh > 0 {
		u.tasks = append(u.tasks, (&refresher{w, log}).task())
	}
	if w.loader.canary.runID != "" && w.canary == nil {
		u.tasks = append(u.tasks, w.canaryTask(log))
	}
	if w.loader.shadow != "" {
		u.tasks = append(u.tasks, w.shadowTask(log))
	}
	if w.loader.drift != driftOff {
		u.tasks = append(u.tasks, w.driftTask())
	}
	return u
}

// A loader makes a run's bundle a model.
type loader struct {
	*config
	aws *lazyAWS
	log *slog.Logger
}

// load finds, loads and proves a run's bundle, whose manifest has that SHA-256
// where that is known.
func (l *loader) load(ctx context.Context, runID, manifest string) (*loaded, error) {
	mark := time.Now()
	lap := func(step *time.Duration) {
		now := time.Now()
		*step, mark = now.Sub(mark), now
	}
	m := &loaded{}
	pin := &pin{manifest: manifest}
	b, place, err := l.openBundle(ctx, runID, pin)
	if err != nil {
		return nil, err
	}
	m.manifest, m.sha256, m.goldens, m.place = b.Manifest, pin.read, len(b.Goldens), place
	lap(&m.took.bundle)
	onnxruntime := library.Find(l.library, besideWorker())
	if err := ort.Initialize(onnxruntime); err != nil {
		return nil, err
	}
	lap(&m.took.onnxruntime)
	session, slower, err := ort.LoadFastest(b, ort.FindOperators(library.FindOperators(l.operators, onnxruntime), onnxruntime))
	if err != nil {
		return nil, err
	}
	if m.graph = session.Graph(); slower != nil {
		l.log.LogAttrs(ctx, slog.LevelWarn, "serving the slower graph, which predicts the same", slog.String("graph", m.graph),
			slog.String("instead_of", bundle.FastFile), slog.String("reason", slower.Error()),
			slog.String("hint", "set SKIFF_LIB to libskiff.so, which `make ops` builds, or to none"))
	}
	lap(&m.took.model)
	if m.model, err = model.New(b, session); err != nil {
		return nil, errors.Join(err, session.Close())
	}
	lap(&m.took.goldens)
	l.watch(ctx, m, b)
	if l.shadow != "" {
		m.model.Keep()
	}
	return m, nil
}

// targets returns where predictions go, and dead letters.
func (l *loader) targets(ctx context.Context) (output, deadLetters *inference.Target, err error) {
	sdk, err := l.aws.config(ctx)
	if err != nil {
		return nil, nil, err
	}
	output = &inference.Target{Sink: sink.NewKinesis(sdk, l.stream, l.kinesisEndpoint, "PREDICTIONS_STREAM_NAME"), Limits: sink.KinesisLimits()}
	output.Sink = observe.Sink{Sink: output.Sink}
	if l.deadLetter != nil {
		deadLetters = l.deadLetter(sdk, l.config)
		deadLetters.Sink = observe.Sink{Sink: deadLetters.Sink}
	}
	return output, deadLetters, nil
}

// String describes the model in one line.
func (m *loaded) String() string {
	lowering := m.manifest.Lowering
	if m.manifest.Files[bundle.FastFile] != "" { // then there are two
		lowering += " (" + m.graph + ")"
	}
	return fmt.Sprintf("%s: run %s, %s as %s, %d goldens equal (%s), onnxruntime %s, %d ms",
		m.place, m.manifest.RunID, m.manifest.Estimator, lowering, m.goldens, m.manifest.Parity.Bound,
		ort.Version(), (m.took.bundle + m.took.onnxruntime + m.took.model + m.took.goldens).Milliseconds())
}

// attrs are what the log says of a model: what was loaded, and how long each
// step took.
func (m *loaded) attrs() []slog.Attr {
	ms := func(key string, d time.Duration) slog.Attr {
		return slog.Float64(key, float64(d.Microseconds())/1000)
	}
	return []slog.Attr{
		slog.String("bundle", m.place), slog.String("run_id", m.manifest.RunID),
		slog.String("estimator", m.manifest.Estimator), slog.String("lowering", m.manifest.Lowering), slog.String("graph", m.graph), slog.Int("goldens", m.goldens),
		slog.String("parity", m.manifest.Parity.Bound), slog.String("onnxruntime", ort.Version()),
		ms("bundle_ms", m.took.bundle), ms("onnxruntime_ms", m.took.onnxruntime), ms("model_ms", m.took.model), ms("goldens_ms", m.took.goldens),
	}
}

// logReady says what serves.
func (w *worker) logReady(ctx context.Context, log *slog.Logger) {
	attrs := w.serving.Load().attrs()
	if w.pointer != nil {
		attrs = append(attrs, slog.String("alias", "@"+w.loader.alias), slog.Int("revision", w.pointer.seen.Revision))
	}
	log.LogAttrs(ctx, slog.LevelInfo, "ready", attrs...)
}
