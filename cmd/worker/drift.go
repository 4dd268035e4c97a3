package main

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/skiff-ml/skiff/cmd/internal/command"
	"github.com/skiff-ml/skiff/inference/bundle"
	"github.com/skiff-ml/skiff/inference/drift"
)

// The values of DRIFT.
const (
	driftOff   = "off"
	driftOn    = "on"
	driftWords = "words" // with words that training did not have, which are the sender's
)

// watch has a model count its batches, where that is asked for and its bundle has
// a sketch. Without one the model serves all the same.
func (l *loader) watch(ctx context.Context, m *loaded, b *bundle.Bundle) {
	if l.drift == driftOff {
		return
	}
	sketch, err := b.Sketch(ctx)
	if err != nil {
		level, advice := slog.LevelWarn, "the model serves without it; restore the bundle"
		if errors.Is(err, bundle.ErrNoSketch) {
			level, advice = slog.LevelInfo, "a bundle gets it from a sample of 500 records or more: make convert SAMPLE=FILE.jsonl"
		}
		l.log.LogAttrs(ctx, level, "no drift", slog.String("run_id", b.Manifest.RunID), slog.String("error", command.OneLine(err)), slog.String("hint", advice))
		return
	}
	m.drift = drift.NewCounter(&b.Manifest, sketch)
	m.drift.Words = l.drift == driftWords
	m.model.Watch(m.drift)
}

// maxTold is how many hours there are to look at: two days of one run.
const maxTold = 48

// A told is what the log was told of drift, for whoever asks for it again.
type told struct {
	mu    sync.Mutex
	hours []*drift.Counts // the last
}

// tell logs the hours that are over, a line each, and with all that which is not.
func (t *told) tell(ctx context.Context, log *slog.Logger, m *loaded, all bool) {
	if m == nil || m.drift == nil {
		return
	}
	hours, err := m.drift.Take(all)
	if err != nil {
		log.LogAttrs(ctx, slog.LevelWarn, "no drift", slog.String("run_id", m.manifest.RunID), slog.String("error", command.OneLine(err)))
	}
	for _, hour := range hours {
		log.LogAttrs(ctx, slog.LevelInfo, "drift", slog.Any(drift.Key, hour))
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.hours = append(t.hours, hours...)
	t.hours = t.hours[max(0, len(t.hours)-maxTold):]
}

// tellDrift does that for the models that serve.
func (w *worker) tellDrift(ctx context.Context, all bool) {
	w.told.tell(ctx, w.loader.log, w.serving.Load(), all)
	w.told.tell(ctx, w.loader.log, w.canary, all)
}

// driftTask tells an hour once it is over.
func (w *worker) driftTask() *task {
	return &task{
		do: func(ctx context.Context) (string, error) {
			w.tellDrift(ctx, false)
			return "", nil
		},
		say: func(context.Context, string, error) {}, every: time.Second,
	}
}

// driftPage has the last hours as the log has them, a line each, and that which is
// not over.
func (w *worker) driftPage(response http.ResponseWriter, _ *http.Request) {
	response.Header().Set("Content-Type", "application/jsonl")
	w.told.mu.Lock()
	hours := slices.Clone(w.told.hours)
	w.told.mu.Unlock()
	if m := w.serving.Load(); m.drift != nil {
		if now := m.drift.Now(); now != nil {
			hours = append(hours, now)
		}
	}
	lines := json.NewEncoder(response)
	for _, hour := range hours {
		_ = lines.Encode(map[string]*drift.Counts{drift.Key: hour}) // who asked may be gone
	}
}
