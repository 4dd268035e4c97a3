package inference

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"
)

// The waiting between tries of what a stream didn't take: exponential, with
// full jitter, so that shards throttled together do not come back together.
const (
	firstWait = 25 * time.Millisecond
	maxWait   = 2 * time.Second
	leastWait = time.Millisecond // whatever the jitter: time goes on, so that trying ends
)

// answerTime is left of an invocation's time for its answer, when waiting for
// a stream takes up the rest.
const answerTime = 500 * time.Millisecond

// ErrPermanent marks a stream's error that trying again will not mend: no such
// stream, no permission.
var ErrPermanent = errors.New("trying again is no use")

// deliver sends messages until the target has taken them or time is up. It
// returns the indexes of the unsent ones, in order, with the reason: a
// permanent one before others.
func deliver(ctx context.Context, t Target, messages []Message) (unsent []int, err error) {
	ctx, cancel := untilAnswer(ctx)
	defer cancel()
	return t.request(messages, func(some []Message) result { return putAll(ctx, t.Sink, some) })
}

// request sends messages in as many requests as it takes, several at once, and
// returns the indexes of the unsent ones, in order, with the reason: a permanent
// one before others.
func (t *Target) request(messages []Message, send func([]Message) result) (unsent []int, err error) {
	chunks := t.chunk(messages)
	results := make([]result, len(chunks))
	var workers sync.WaitGroup
	slots := make(chan struct{}, t.Calls)
	for i, c := range chunks {
		slots <- struct{}{}
		workers.Go(func() {
			results[i] = send(messages[c.start:c.end])
			<-slots
		})
	}
	workers.Wait()
	return join(chunks, results)
}

// untilAnswer returns ctx with less time: what is left then is for the answer.
func untilAnswer(ctx context.Context) (context.Context, context.CancelFunc) {
	if deadline, ok := ctx.Deadline(); ok {
		return context.WithDeadline(ctx, deadline.Add(-answerTime))
	}
	return context.WithCancel(ctx)
}

// join returns the results of all requests as one.
func join(chunks []span, results []result) (unsent []int, err error) {
	for i, r := range results {
		for _, m := range r.unsent {
			unsent = append(unsent, chunks[i].start+m)
		}
		if r.err != nil && (err == nil || errors.Is(r.err, ErrPermanent)) {
			err = r.err
		}
	}
	return unsent, err
}

// span is a half-open range of messages.
type span struct{ start, end int }

type result struct {
	unsent []int
	err    error
}

// chunk cuts messages into requests, by count and by bytes.
func (l Limits) chunk(messages []Message) []span {
	var chunks []span
	start, size := 0, 0
	for i, m := range messages {
		n := len(m.Key) + len(m.Data)
		if i-start == l.Messages || i > start && size+n > l.Bytes {
			chunks = append(chunks, span{start, i})
			start, size = i, 0
		}
		size += n
	}
	if start < len(messages) {
		chunks = append(chunks, span{start, len(messages)})
	}
	return chunks
}

// errNoTime is why messages are unsent that there was no time to try.
var errNoTime = errors.New("the invocation has no time left")

// putAll sends one request's messages, and those again that were not taken,
// until all are, the error is permanent, or time is up. It returns what the
// sink said last: that time was up says nothing of why.
func putAll(ctx context.Context, s Sink, messages []Message) result {
	pending := make([]int, len(messages))
	for i := range pending {
		pending[i] = i
	}
	left, last := messages, errNoTime
	for wait := firstWait; ctx.Err() == nil; wait = min(2*wait, maxWait) {
		failed, err := s.Put(ctx, left)
		if err == nil && len(failed) == 0 {
			return result{}
		}
		if len(failed) > 0 {
			pending, left = pick(pending, failed), pick(left, failed)
		}
		if ctx.Err() == nil || errors.Is(last, errNoTime) {
			last = err
		}
		if errors.Is(err, ErrPermanent) || !sleep(ctx, jitter(wait)) {
			break
		}
	}
	return result{pending, last}
}

// pick returns the elements of s at the given indexes.
func pick[T any](s []T, indexes []int) []T {
	picked := make([]T, len(indexes))
	for i, at := range indexes {
		picked[i] = s[at]
	}
	return picked
}

// jitter returns a random part of wait.
func jitter(wait time.Duration) time.Duration {
	return rand.N(max(wait, leastWait)) //nolint:gosec // jitter is no secret
}

// sleep waits for d, or half of what is left of ctx if that is shorter, and
// never less than leastWait. It reports whether there is time for another try.
func sleep(ctx context.Context, d time.Duration) bool {
	if deadline, ok := ctx.Deadline(); ok {
		left := time.Until(deadline)
		if left < firstWait {
			return false
		}
		d = min(d, left/2)
	}
	timer := time.NewTimer(max(d, leastWait))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
