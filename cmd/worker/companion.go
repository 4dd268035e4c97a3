package main

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"strings"

	"github.com/skiff-ml/skiff/cmd/internal/command"
	"github.com/skiff-ml/skiff/inference"
	"github.com/skiff-ml/skiff/inference/bundle"
	"github.com/skiff-ml/skiff/inference/hint"
	"github.com/skiff-ml/skiff/inference/model"
	"github.com/skiff-ml/skiff/inference/observe"
)

// A canary is a run that has a share of the keys.
type canary struct {
	runID   string
	percent float64
}

// parseCanary reads run:percent.
func parseCanary(s string) (canary, error) {
	at := strings.LastIndexByte(s, ':')
	if at < 0 {
		return canary{}, hint.With(fmt.Errorf("%q is not of the form RUN:PERCENT", s), "it is like 0123456789abcdef0123456789abcdef:5")
	}
	percent, err := strconv.ParseFloat(s[at+1:], 64)
	if err != nil || !(percent >= 0 && percent <= 100) {
		return canary{}, hint.With(fmt.Errorf("%q is no share of the keys", s[at+1:]), "it is a number between 0 and 100, in percent")
	}
	return canary{s[:at], percent}, bundle.CheckRunID(s[:at])
}

// serve has later batches predicted by a run's model, and waits for those under
// way. With a canary, its keys are predicted by that.
func (w *worker) serve(ctx context.Context, m *loaded) {
	before := w.serving.Swap(m)
	w.current.Replace(w.split(m))
	if before != m {
		w.told.tell(ctx, w.loader.log, before, true) // it counts no more
	}
	w.show(m)
}

// split returns the model that serves: with the canary, where there is one.
func (w *worker) split(m *loaded) inference.Model {
	if w.canary == nil {
		return m.model
	}
	return &inference.Split{Main: m.model, Canary: w.canary.model, Percent: w.loader.canary.percent}
}

// loadCanary loads the canary, in half of the time that there is for starting.
// Without it the others serve its keys.
func (w *worker) loadCanary(ctx context.Context, log *slog.Logger) {
	half, cancel := halfOf(ctx)
	defer cancel()
	if _, err := w.addCanary(half, log); err != nil && ctx.Err() == nil {
		w.sayWithout(log, "canary")(ctx, canaryStage, err)
	}
}

// What is loaded beside the model that serves.
const (
	canaryStage = "canary"
	shadowStage = "shadow"
)

func (w *worker) addCanary(ctx context.Context, log *slog.Logger) (string, error) {
	m, err := w.loader.load(ctx, w.loader.canary.runID, "")
	if err != nil {
		return canaryStage, err
	}
	w.canary = m
	w.serve(ctx, w.serving.Load())
	log.LogAttrs(ctx, slog.LevelInfo, "canary ready", append(m.attrs(), slog.Float64("percent", w.loader.canary.percent))...)
	return canaryStage, nil
}

// canaryTask loads the canary that could not be loaded at the start.
func (w *worker) canaryTask(log *slog.Logger) *task {
	return &task{
		do:  func(ctx context.Context) (string, error) { return w.addCanary(ctx, log) },
		say: w.sayWithout(log, canaryStage), due: wall().Add(retryEvery), failures: 1, said: canaryStage,
	}
}

// shadowTask loads the shadow once the first invocation is over: nothing waits
// for it.
func (w *worker) shadowTask(log *slog.Logger) *task {
	return &task{
		do: func(ctx context.Context) (string, error) {
			m, err := w.loader.load(ctx, w.loader.shadow, "")
			if err != nil {
				return shadowStage, err
			}
			w.shadow.Store(model.NewShadow(m.model, w.loader.threshold))
			log.LogAttrs(ctx, slog.LevelInfo, "shadow ready", m.attrs()...)
			return shadowStage, nil
		},
		say: w.sayWithout(log, shadowStage),
	}
}

// sayWithout returns what says that a run is not there, beside the one that
// serves.
func (w *worker) sayWithout(log *slog.Logger, what string) func(context.Context, string, error) {
	return func(ctx context.Context, _ string, err error) {
		attrs := []slog.Attr{slog.String("run_id", w.serving.Load().manifest.RunID), slog.String("error", command.OneLine(err))}
		if advice := command.Hint(err); advice != "" {
			attrs = append(attrs, slog.String("hint", advice))
		}
		log.LogAttrs(ctx, slog.LevelWarn, "no "+what, attrs...)
	}
}

// Compare implements [observe.Comparer]: the shadow's difference, nil where there
// is no shadow yet.
func (w *worker) Compare(ctx context.Context, b *inference.Batch) *observe.Shadow {
	shadow := w.shadow.Load()
	if shadow == nil {
		return nil
	}
	d, err := shadow.Compare(ctx, b)
	s := &observe.Shadow{
		RunID: shadow.RunID(), Records: d.Records, Numbers: d.Numbers, Mean: d.Mean, P99: d.P99, Largest: d.Largest,
		Beyond: d.Beyond, LabelsChanged: d.LabelsChanged, Skipped: d.Refused,
	}
	if err != nil {
		s.Skipped, s.Error = len(b.Predicted.Items), err.Error()
	}
	return s
}
