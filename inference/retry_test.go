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

// limited are the limits of the tests.
var limited = Limits{Messages: 500, Bytes: 5 << 20, MessageBytes: 1 << 20, Calls: 4}

// sinkFunc is a Sink made of one function.
type sinkFunc func(ctx context.Context, messages []Message) ([]int, error)

func (f sinkFunc) Put(ctx context.Context, messages []Message) ([]int, error) {
	return f(ctx, messages)
}

var errBusy = errors.New("a shard is busy")

func messagesOf(n, size int) []Message {
	messages := make([]Message, n)
	for i := range messages {
		messages[i] = Message{Key: fmt.Sprint(i), Data: make([]byte, size)}
	}
	return messages
}

func TestChunk(t *testing.T) {
	for _, test := range []struct {
		n, size int
		want    []int
	}{
		{0, 0, nil},
		{1, 10, []int{1}},
		{500, 10, []int{500}},
		{501, 10, []int{500, 1}},
		{1200, 10, []int{500, 500, 200}},
		{11, 1 << 20, []int{4, 4, 3}}, // their keys count as well
		{12, 1<<20 - 2, []int{5, 5, 2}},
	} {
		var got []int
		for _, c := range limited.chunk(messagesOf(test.n, test.size)) {
			got = append(got, c.end-c.start)
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%d messages of %d bytes: got %v, want %v", test.n, test.size, got, test.want)
		}
	}
}

// A stream that takes every third message of a call gets the others again,
// until it has all of them once.
func TestPublishSendsTheFailedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		got := map[string]int{}
		stream := sinkFunc(func(_ context.Context, messages []Message) ([]int, error) {
			var failed []int
			mu.Lock()
			defer mu.Unlock()
			for i, m := range messages {
				if i%3 == 0 {
					got[m.Key]++
				} else {
					failed = append(failed, i)
				}
			}
			if failed == nil {
				return nil, nil
			}
			return failed, errBusy
		})
		unsent, err := deliver(context.Background(), Target{stream, limited}, messagesOf(1700, 10))
		if len(unsent) > 0 || err != nil {
			t.Fatalf("unsent %v, %v", unsent, err)
		}
		for i := range 1700 {
			if got[fmt.Sprint(i)] != 1 {
				t.Fatalf("message %d was taken %d times", i, got[fmt.Sprint(i)])
			}
		}
	})
}

func TestPublishTriesAgainAfterAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		stream := sinkFunc(func(context.Context, []Message) ([]int, error) {
			if calls++; calls < 5 {
				return nil, errors.New("slow down")
			}
			return nil, nil
		})
		if unsent, err := deliver(context.Background(), Target{stream, limited}, messagesOf(3, 10)); len(unsent) > 0 || err != nil || calls != 5 {
			t.Errorf("unsent %v, %v after %d calls", unsent, err, calls)
		}
	})
}

// When time is up the unsent are named, and there is time left to say so.
func TestPublishStopsInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
		defer cancel()
		calls := 0
		stream := sinkFunc(func(_ context.Context, messages []Message) ([]int, error) {
			if calls++; calls == 1 {
				return []int{1, 3}, errBusy
			}
			return []int{0, 1}[:len(messages)], errBusy
		})
		began := time.Now()
		unsent, err := deliver(ctx, Target{stream, limited}, messagesOf(5, 10))
		if !slices.Equal(unsent, []int{1, 3}) || !errors.Is(err, errBusy) {
			t.Errorf("unsent %v, %v", unsent, err)
		}
		if took := time.Since(began); took > 15*time.Second-answerTime || took < 15*time.Second-answerTime-firstWait {
			t.Errorf("it took %v", took)
		}
		if calls < 8 || calls > 200 {
			t.Errorf("%d calls", calls)
		}
	})
}

func TestPublishDoesNotTryInVain(t *testing.T) {
	calls := 0
	stream := sinkFunc(func(context.Context, []Message) ([]int, error) {
		calls++
		return nil, fmt.Errorf("no such stream: %w", ErrPermanent)
	})
	unsent, err := deliver(context.Background(), Target{stream, limited}, messagesOf(2, 10))
	if !slices.Equal(unsent, []int{0, 1}) || !errors.Is(err, ErrPermanent) || calls != 1 {
		t.Errorf("unsent %v, %v after %d calls", unsent, err, calls)
	}
}
