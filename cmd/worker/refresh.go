package main

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"skiff/inference/alias"
	"skiff/inference/hint"
)

// pointerStage is what goes wrong before anybody knows which run is wanted.
const pointerStage = "pointer"

const (
	pointerTime  = 2 * time.Second        // for the pointer of an alias to be read
	leastTime    = 250 * time.Millisecond // of an invocation, for looking at all
	maxDoublings = 4                      // of the time between tries of what fails
)

// A refresher looks whether the alias stands for another run by now, once an
// invocation has published all it had to, and at most every so often. Another
// run is loaded and proved beside the one that serves, and takes its place. What
// goes wrong changes nothing, and is said once.
//
// It is not done in the background: Lambda freezes a process between
// invocations, and an invocation's records don't wait for it where it is done
// last.
type refresher struct {
	handler  lambda.Handler
	worker   *worker
	log      *slog.Logger
	stopping context.Context //nolint:containedctx // the process's, which an invocation's does not follow

	mu       sync.Mutex // whoever has it looks
	due      time.Time
	failures int    // since the last success
	said     string // which of them
}

// refreshed returns the worker's handler, which serves an alias's run of the
// time where there is an alias.
func (w *worker) refreshed(stopping context.Context, log *slog.Logger) lambda.Handler {
	if w.pointer == nil || w.loader.refresh == 0 {
		return w.source
	}
	r := &refresher{handler: w.source, worker: w, log: log, stopping: stopping}
	r.due = wall().Add(w.loader.refresh)
	if seen := w.pointer.seen; seen.RunID != w.serving.manifest.RunID { // which was said at the start
		r.failures, r.said = 1, revision(seen)
	}
	return r
}

// wall is what the clock on the wall says: the other one may stand still while
// the process is frozen.
func wall() time.Time { return time.Now().Round(0) }

// Invoke implements [lambda.Handler].
func (r *refresher) Invoke(ctx context.Context, event []byte) ([]byte, error) {
	response, err := r.handler.Invoke(ctx, event)
	if r.mu.TryLock() { // otherwise another invocation is at it
		defer r.mu.Unlock()
		if !wall().Before(r.due) {
			r.refresh(ctx)
		}
	}
	return response, err
}

// refresh looks once, within half of what is left of the invocation's time.
func (r *refresher) refresh(ctx context.Context) {
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < leastTime || r.stopping.Err() != nil {
		return
	}
	half, cancel := halfOf(ctx)
	defer cancel()
	defer context.AfterFunc(r.stopping, cancel)() //nolint:contextcheck // the process has one beside the invocation
	stage, err := r.change(half)
	every := r.worker.loader.refresh
	switch {
	case r.stopping.Err() != nil:
	case err == nil:
		r.failures, r.said = 0, ""
	default:
		wanted := r.worker.pointer.seen
		switch {
		case stage == pointerStage:
			wanted = nil
			err = hint.With(err, "it is tried again; can S3 be reached from here? in a VPC it needs an endpoint")
		case half.Err() != nil && ctx.Err() == nil:
			err = hint.With(fmt.Errorf("it took longer than half of what was left of the invocation's time: %w", err),
				"it is tried again; if it stays so, raise the function's timeout")
		}
		if r.said != stage {
			notChanged(ctx, r.log, r.worker.serving, r.worker.pointer, wanted, err)
		}
		every <<= min(r.failures, maxDoublings)
		r.failures, r.said = r.failures+1, stage
	}
	r.due = wall().Add(every)
}

// change reads the pointer and has its run served. What goes wrong is an error,
// with what it went wrong at.
func (r *refresher) change(ctx context.Context) (stage string, err error) {
	defer func() {
		if why := recover(); why != nil {
			err = fmt.Errorf("panic: %v", why)
		}
	}()
	w := r.worker
	short, cancel := context.WithTimeout(ctx, pointerTime)
	defer cancel()
	stage = pointerStage
	if err := w.pointer.look(short); err != nil {
		return stage, err
	}
	wanted, now := w.pointer.seen, w.serving
	if wanted.RunID == now.manifest.RunID && (wanted.Manifest == "" || wanted.Manifest == now.sha256) {
		return stage, nil
	}
	stage = revision(wanted)
	next, err := w.loader.load(ctx, wanted.RunID, wanted.Manifest)
	if err != nil {
		return stage, err
	}
	w.current.Replace(next.model)
	w.serving = next
	attrs := append(next.attrs(), slog.String("alias", "@"+w.pointer.alias), slog.Int("revision", wanted.Revision), slog.String("before", now.manifest.RunID))
	r.log.LogAttrs(ctx, slog.LevelInfo, "model changed", attrs...)
	return stage, now.model.Close()
}

func revision(p *alias.Pointer) string { return fmt.Sprintf("revision %d", p.Revision) }
