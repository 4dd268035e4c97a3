package main

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
)

// How long the worker waits for an invocation that was sent before anybody knew
// that it stops. Lambda ends a process 500 ms after SIGTERM where an extension is
// registered in it; who runs it elsewhere waits longer.
const (
	quietTime    = 100 * time.Millisecond // without one, after the last
	straggleTime = 300 * time.Millisecond // in all
)

// errStopping is what an invocation gets that comes after the signal: whoever
// invokes tries again, where another worker is.
var errStopping = errors.New("the worker is stopping")

// A gate lets invocations through to the handler until it is shut: those under
// way go on, bounded by their own time, and what still comes is handed back.
//
// An invocation is over when its context is: Lambda's runtime client ends that
// when it has posted the answer, or its time is up. That the handler has
// returned says nothing of its answer.
type gate struct {
	handler lambda.Handler

	mu                              sync.Mutex
	shut                            bool
	underWay                        map[context.Context]struct{} // of those let through
	returning                       int                          // of those handed back, until they have their answer
	finished, outOfTime, handedBack int                          // since it was shut
	changed                         chan struct{}
}

func newGate(handler lambda.Handler) *gate {
	return &gate{handler: handler, underWay: map[context.Context]struct{}{}, changed: make(chan struct{}, 1)}
}

// Invoke implements [lambda.Handler].
func (g *gate) Invoke(ctx context.Context, event []byte) ([]byte, error) {
	if !g.enter(ctx) {
		return nil, errStopping
	}
	return g.handler.Invoke(ctx, event)
}

// enter counts an invocation, and reports whether it may go through.
func (g *gate) enter(ctx context.Context) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	defer g.signal()
	if g.shut {
		g.handedBack++
		g.returning++
		context.AfterFunc(ctx, func() { g.leave(func() { g.returning-- }) })
		return false
	}
	g.underWay[ctx] = struct{}{}
	context.AfterFunc(ctx, func() { g.leave(func() { g.finish(ctx) }) })
	return true
}

// finish counts an invocation that was let through and is over, unless it was
// before the gate was shut.
func (g *gate) finish(ctx context.Context) {
	_, counts := g.underWay[ctx]
	delete(g.underWay, ctx)
	switch {
	case !counts || !g.shut:
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		g.outOfTime++
	default:
		g.finished++
	}
}

func (g *gate) leave(count func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	count()
	g.signal()
}

// signal wakes whoever waits for a change.
func (g *gate) signal() {
	select {
	case g.changed <- struct{}{}:
	default: // it has been told of another already
	}
}

// stop shuts the gate, and returns once nothing is under way any more, and
// stragglers are handed back.
func (g *gate) stop(ctx context.Context, log *slog.Logger) {
	g.close(ctx, log)
	g.drain()
	g.settle()
	g.report(ctx, log)
}

// close shuts the gate and says so. What is over is not under way any more, also
// where what waits for its context has not come to run.
func (g *gate) close(ctx context.Context, log *slog.Logger) {
	g.mu.Lock()
	g.shut = true
	maps.DeleteFunc(g.underWay, func(of context.Context, _ struct{}) bool { return of.Err() != nil })
	underWay := len(g.underWay)
	g.mu.Unlock()
	log.LogAttrs(ctx, slog.LevelInfo, "stopping", slog.String("why", context.Cause(ctx).Error()), slog.Int("under_way", underWay))
}

// drain waits until what was under way is over.
func (g *gate) drain() {
	for g.busy() {
		<-g.changed
	}
}

// settle waits for stragglers, and until they are handed back.
func (g *gate) settle() {
	end, quiet := time.NewTimer(straggleTime), time.NewTimer(quietTime)
	defer end.Stop()
	defer quiet.Stop()
	for {
		select {
		case <-g.changed:
			quiet.Reset(quietTime)
		case <-quiet.C:
			if !g.answering() {
				return
			}
		case <-end.C:
			return
		}
	}
}

func (g *gate) busy() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.underWay) > 0
}

func (g *gate) answering() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.returning > 0
}

// report says what became of the invocations since the signal.
func (g *gate) report(ctx context.Context, log *slog.Logger) {
	g.mu.Lock()
	defer g.mu.Unlock()
	level := slog.LevelInfo
	if g.outOfTime > 0 {
		level = slog.LevelWarn
	}
	log.LogAttrs(ctx, level, "stopped", slog.Int("finished", g.finished),
		slog.Int("out_of_time", g.outOfTime), slog.Int("handed_back", g.handedBack))
}
