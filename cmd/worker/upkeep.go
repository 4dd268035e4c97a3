package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/skiff-ml/skiff/inference/hint"
)

const (
	leastTime    = 250 * time.Millisecond // of an invocation, for doing anything beside
	maxDoublings = 4                      // of the time between tries of what fails
)

// An upkeep does what is to be done now and then, once an invocation has
// published all it had to. What goes wrong changes nothing, and is said once.
//
// It is not done in the background: Lambda freezes a process between
// invocations, and an invocation's records don't wait for it where it is done
// last.
type upkeep struct {
	handler  lambda.Handler
	stopping context.Context //nolint:containedctx // the process's, which an invocation's does not follow

	mu    sync.Mutex // whoever has it is at it
	tasks []*task
}

// A task is something to do now and then.
type task struct {
	// do does it, or says what went wrong and at what.
	do func(ctx context.Context) (stage string, err error)
	// say says what went wrong.
	say   func(ctx context.Context, stage string, err error)
	every time.Duration // 0: once, and then no more

	due      time.Time
	failures int    // since the last success
	said     string // the stage of them
	over     bool
}

// retryEvery is how long to wait where a task is done once, and fails.
const retryEvery = time.Minute

// wall is what the clock on the wall says: the other one may stand still while
// the process is frozen.
func wall() time.Time { return time.Now().Round(0) }

// Invoke implements [lambda.Handler].
func (u *upkeep) Invoke(ctx context.Context, event []byte) ([]byte, error) {
	response, err := u.handler.Invoke(ctx, event)
	if u.mu.TryLock() { // otherwise another invocation is at it
		defer u.mu.Unlock()
		for _, t := range u.tasks {
			if !t.over && !wall().Before(t.due) {
				u.try(ctx, t)
			}
		}
	}
	return response, err
}

// try does a task within half of what is left of the invocation's time.
func (u *upkeep) try(ctx context.Context, t *task) {
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < leastTime || u.stopping.Err() != nil {
		return
	}
	half, cancel := halfOf(ctx)
	defer cancel()
	defer context.AfterFunc(u.stopping, cancel)() //nolint:contextcheck // the process has one beside the invocation
	stage, err := t.safely(half)
	wait := t.every
	switch {
	case u.stopping.Err() != nil:
	case err == nil:
		t.failures, t.said, t.over = 0, "", t.every == 0
	default:
		if half.Err() != nil && ctx.Err() == nil && stage != pointerStage { // which has a time of its own
			err = hint.With(fmt.Errorf("it took longer than half of what was left of the invocation's time: %w", err),
				"it is tried again; if it stays so, raise the function's timeout")
		}
		if t.said != stage {
			t.say(ctx, stage, err)
		}
		if wait == 0 {
			wait = retryEvery
		}
		wait <<= min(t.failures, maxDoublings)
		t.failures, t.said = t.failures+1, stage
	}
	t.due = wall().Add(wait)
}

// safely does the task: that it panics is an error.
func (t *task) safely(ctx context.Context) (stage string, err error) {
	defer func() {
		if why := recover(); why != nil {
			err = fmt.Errorf("panic: %v", why)
		}
	}()
	return t.do(ctx)
}
