package sink

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// putTimeout bounds one request: a connection that hangs leaves time to try
// another inside an invocation of 15 seconds.
const putTimeout = 5 * time.Second

var (
	errNoAnswer = fmt.Errorf("no answer within %v", putTimeout)
	errCut      = errors.New("no answer in the time that was left")
	errStopped  = errors.New("stopped while waiting for the answer")
)

// answer makes one request, which has putTimeout for its answer. Where time was
// up the error says whose it was: the request's own or the caller's.
func answer(ctx context.Context, request func(context.Context) error) (late bool, err error) {
	bounded, cancel := context.WithTimeout(ctx, putTimeout)
	defer cancel()
	err = request(bounded)
	if !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, context.Canceled) {
		return false, err
	}
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return true, errCut
	case ctx.Err() != nil:
		return true, errStopped
	case bounded.Err() != nil:
		return true, errNoAnswer
	}
	return false, err
}
