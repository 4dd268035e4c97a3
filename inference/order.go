package inference

import (
	"context"
	"errors"
	"slices"
	"time"
)

// In order means that a message leaves when all that are before it of its key
// have been taken. Requests do not keep an order themselves: of one's messages
// some may be taken and those before them not, so that it has one of a key at
// most.

// A queue is the messages of one key, in order.
type queue struct {
	head  int           // the first that has not been taken; -1: all are
	wait  time.Duration // before the next try
	ready time.Time     // when the next try may be
}

// group is what a message is in order with: those that go to one place are
// where their keys say, and aggregates where their hash key does.
func (m *Message) group() string {
	if m.HashKey != "" {
		return m.HashKey
	}
	return m.Key
}

// deliverInOrder is deliver for messages that leave in order. Where one is not
// taken, those behind it of its key stay, and others go on.
func deliverInOrder(ctx context.Context, t Target, messages []Message) (unsent []int, err error) {
	ctx, cancel := untilAnswer(ctx)
	defer cancel()
	queues, next := inQueues(messages)
	last := errNoTime
	for len(queues) > 0 && ctx.Err() == nil {
		turn, pause := due(queues, time.Now())
		if len(turn) == 0 {
			if !sleep(ctx, pause) {
				break
			}
			continue
		}
		heads := make([]int, len(turn))
		for i, q := range turn {
			heads[i] = queues[q].head
		}
		failed, err := putOnce(ctx, t, pick(messages, heads))
		if err != nil && (ctx.Err() == nil || errors.Is(last, errNoTime)) {
			last = err
		}
		for i, q := range turn {
			if _, again := slices.BinarySearch(failed, i); again {
				queues[q].again(time.Now())
			} else {
				queues[q] = queue{head: next[queues[q].head]}
			}
		}
		queues = slices.DeleteFunc(queues, func(q queue) bool { return q.head < 0 })
		if errors.Is(err, ErrPermanent) {
			break
		}
	}
	for _, q := range queues {
		for m := q.head; m >= 0; m = next[m] {
			unsent = append(unsent, m)
		}
	}
	if len(unsent) == 0 {
		return nil, nil
	}
	slices.Sort(unsent)
	return unsent, last
}

// inQueues returns a queue for each key, and for each message the next of its
// key, -1 behind the last.
func inQueues(messages []Message) (queues []queue, next []int) {
	next = make([]int, len(messages))
	lasts := make(map[string]int, len(messages))
	for i := range messages {
		next[i] = -1
		group := messages[i].group()
		if last, ok := lasts[group]; ok {
			next[last] = i
		} else {
			queues = append(queues, queue{head: i})
		}
		lasts[group] = i
	}
	return queues, next
}

// again puts off the next try, longer each time.
func (q *queue) again(now time.Time) {
	if q.wait = min(2*q.wait, maxWait); q.wait == 0 {
		q.wait = firstWait
	}
	q.ready = now.Add(max(jitter(q.wait), leastWait))
}

// due returns the queues whose turn it is, by index, or else how long it is
// until the next one's.
func due(queues []queue, now time.Time) (turn []int, pause time.Duration) {
	pause = maxWait
	for i := range queues {
		if wait := queues[i].ready.Sub(now); wait > 0 {
			pause = min(pause, wait)
		} else {
			turn = append(turn, i)
		}
	}
	return turn, pause
}

// putOnce sends messages once, in as many requests as it takes, and returns the
// indexes of those that were not taken, in order, with the reason.
func putOnce(ctx context.Context, t Target, messages []Message) (failed []int, err error) {
	return t.request(messages, func(some []Message) result {
		unsent, err := t.Put(ctx, some)
		if err != nil && len(unsent) == 0 { // it took none
			for m := range some {
				unsent = append(unsent, m)
			}
		}
		return result{unsent, err}
	})
}
