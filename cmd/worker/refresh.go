package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/skiff-ml/skiff/inference/alias"
	"github.com/skiff-ml/skiff/inference/hint"
)

// pointerTime is what the pointer of an alias may take to be read.
const pointerTime = 2 * time.Second

// pointerStage is what goes wrong before anybody knows which run is wanted.
const pointerStage = "pointer"

// A refresher looks whether the alias stands for another run by now. Another run
// is loaded and proved beside the one that serves, and takes its place.
type refresher struct {
	*worker
	log *slog.Logger
}

// task returns the refresher's task.
func (r *refresher) task() *task {
	every := r.loader.refresh
	t := &task{do: r.change, say: r.say, every: every, due: wall().Add(every)}
	if seen := r.pointer.seen; seen.RunID != r.serving.Load().manifest.RunID { // which was said at the start
		t.failures, t.said = 1, revision(seen)
		r.behind.Store(true)
	}
	return t
}

// change reads the pointer and has its run served.
func (r *refresher) change(ctx context.Context) (stage string, err error) {
	defer func() { r.behind.Store(err != nil) }()
	short, cancel := context.WithTimeout(ctx, pointerTime)
	defer cancel()
	if err := r.pointer.look(short); err != nil {
		return pointerStage, hint.With(err, "it is tried again; can S3 be reached from here? in a VPC it needs an endpoint")
	}
	wanted, now := r.pointer.seen, r.serving.Load()
	if wanted.RunID == now.manifest.RunID && (wanted.Manifest == "" || wanted.Manifest == now.sha256) {
		return pointerStage, nil
	}
	next, err := r.loader.load(ctx, wanted.RunID, wanted.Manifest)
	if err != nil {
		return revision(wanted), err
	}
	r.serve(ctx, next)
	attrs := append(next.attrs(), slog.String("alias", "@"+r.pointer.alias), slog.Int("revision", wanted.Revision), slog.String("before", now.manifest.RunID))
	r.log.LogAttrs(ctx, slog.LevelInfo, "model changed", attrs...)
	_ = now.model.Close() // it frees memory, and another model serves
	return revision(wanted), nil
}

// say says why the model is not changed.
func (r *refresher) say(ctx context.Context, stage string, err error) {
	wanted := r.pointer.seen
	if stage == pointerStage {
		wanted = nil
	}
	notChanged(ctx, r.log, r.serving.Load(), r.pointer, wanted, err)
}

func revision(p *alias.Pointer) string { return fmt.Sprintf("revision %d", p.Revision) }
