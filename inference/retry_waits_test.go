package inference

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// waits returns when each of so many tries began, for a sink that takes
// nothing and has this budget of time. It ends the test when there are more.
func waits(t *testing.T, budget time.Duration, most int) []time.Duration {
	t.Helper()
	var tries []time.Duration
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(context.Background(), budget+answerTime)
		defer cancel()
		began := time.Now()
		sink := sinkFunc(func(context.Context, []Message) ([]int, error) {
			if tries = append(tries, time.Since(began)); len(tries) > most {
				t.Errorf("more than %d tries in %v", most, budget)
				return nil, fmt.Errorf("enough: %w", ErrPermanent)
			}
			return nil, errBusy
		})
		if _, err := deliver(ctx, Target{sink, limited}, messagesOf(1, 10)); !errors.Is(err, errBusy) {
			t.Errorf("got %v", err)
		}
	})
	return tries
}

// The waits are random: what is throttled together does not come back
// together. And each is from a longer range than the one before.
func TestWaitsSpread(t *testing.T) {
	const runs = 200
	for try, longest := range []time.Duration{25, 50, 100, 200, 400, 800, 1600, 2000, 2000} {
		longest *= time.Millisecond
		var all []time.Duration
		for range runs {
			tries := waits(t, time.Minute, 500)
			all = append(all, tries[try+1]-tries[try])
		}
		slices.Sort(all)
		if shortest := all[0]; shortest > longest/5 {
			t.Errorf("wait %d: the shortest of %d is %v of %v", try+1, runs, shortest, longest)
		}
		if last := all[runs-1]; last > longest || last < longest*4/5 {
			t.Errorf("wait %d: the longest of %d is %v of %v", try+1, runs, last, longest)
		}
	}
}

// A wait is at most half of what is left, so that the last try is close to the
// deadline and not a long wait before it.
func TestTheLastTryIsClose(t *testing.T) {
	const left = 10 * time.Second
	for range 100 {
		tries := waits(t, left, 500)
		if last := tries[len(tries)-1]; last < left-firstWait {
			t.Fatalf("the last try was %v before the deadline", left-last)
		}
	}
}

func TestNoWaitIsNothing(t *testing.T) {
	for _, wait := range []time.Duration{-1, 0, 1, firstWait} {
		if d := jitter(wait); d < 0 || d >= max(wait, leastWait) {
			t.Errorf("of %v: %v", wait, d)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		if !sleep(t.Context(), 0) || time.Since(began) < leastWait {
			t.Errorf("slept %v", time.Since(began))
		}
	})
}

// As many requests as the target takes are in flight, and never more.
func TestPublishKeepsTheTargetBusy(t *testing.T) {
	for _, calls := range []int{1, 2, 4, 7} {
		t.Run(fmt.Sprint(calls), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var mu sync.Mutex
				running, most := 0, 0
				count := func(n int) {
					mu.Lock()
					defer mu.Unlock()
					running += n
					most = max(most, running)
				}
				sink := sinkFunc(func(context.Context, []Message) ([]int, error) {
					count(1)
					defer count(-1)
					<-time.After(time.Second)
					return nil, nil
				})
				began := time.Now()
				limits := Limits{Messages: 1, Bytes: 100, MessageBytes: 100, Calls: calls}
				if unsent, err := deliver(context.Background(), Target{sink, limits}, messagesOf(14, 10)); len(unsent) > 0 || err != nil {
					t.Errorf("unsent %v, %v", unsent, err)
				}
				if rounds := time.Duration((14 + calls - 1) / calls); most != calls || time.Since(began) != rounds*time.Second {
					t.Errorf("%d requests in flight, of %d, for %v", most, calls, time.Since(began))
				}
			})
		})
	}
}

// What trying again will not mend is the reason that is told, whichever
// request it was.
func TestPermanentBeforeTransient(t *testing.T) {
	for name, permanent := range map[string]string{"first": "0", "last": "1"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
				defer cancel()
				sink := sinkFunc(func(_ context.Context, messages []Message) ([]int, error) {
					if messages[0].Key == permanent {
						return nil, fmt.Errorf("no such stream: %w", ErrPermanent)
					}
					return nil, errBusy
				})
				limits := Limits{Messages: 1, Bytes: 100, MessageBytes: 100, Calls: 2}
				unsent, err := deliver(ctx, Target{sink, limits}, messagesOf(2, 10))
				if !slices.Equal(unsent, []int{0, 1}) || !errors.Is(err, ErrPermanent) {
					t.Errorf("unsent %v, %v", unsent, err)
				}
			})
		})
	}
}
