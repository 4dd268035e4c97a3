package inference

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// A shelf is a stream that takes of each request what it likes, in the order
// that it likes, and keeps the order in which it took each key's.
type shelf struct {
	mu    sync.Mutex
	rand  *rand.Rand
	fails float64           // share of the messages
	never map[string]bool   // keys that it takes nothing of
	taken map[string][]byte // by key
	most  int               // of one key in a request
	calls int
}

func newShelf(seed uint64, fails float64) *shelf {
	return &shelf{rand: rand.New(rand.NewPCG(seed, 1)), fails: fails, never: map[string]bool{}, taken: map[string][]byte{}}
}

func (s *shelf) Put(_ context.Context, messages []Message) ([]int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls++
	var failed []int
	of := map[string]int{}
	for _, i := range s.rand.Perm(len(messages)) {
		m := &messages[i]
		of[m.group()]++
		s.most = max(s.most, of[m.group()])
		if s.never[m.group()] || s.rand.Float64() < s.fails {
			failed = append(failed, i)
			continue
		}
		s.taken[m.group()] = append(s.taken[m.group()], m.Data...)
	}
	if failed == nil {
		return nil, nil
	}
	slices.Sort(failed)
	if len(failed) == len(messages) {
		return nil, errBusy // a request that failed
	}
	return failed, errBusy
}

// keyed returns messages, each a byte, of so many keys at random.
func keyed(random *rand.Rand, n, keys int) []Message {
	messages := make([]Message, n)
	for i := range messages {
		messages[i] = Message{Key: fmt.Sprint(random.IntN(keys)), Data: []byte{byte(i)}}
	}
	return messages
}

func TestInOrder(t *testing.T) {
	for seed := range uint64(60) {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 2))
			s := newShelf(seed, []float64{0, 0.1, 0.7}[seed%3])
			messages := keyed(random, 1+random.IntN(250), 1+random.IntN(40))
			if seed%4 == 0 {
				s.never["0"], s.never["3"] = true, true
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(random.IntN(20_000))*time.Millisecond)
			defer cancel()
			limits := Limits{Messages: 1 + random.IntN(20), Bytes: 1000, MessageBytes: 100, Calls: 1 + random.IntN(4)}
			unsent, err := deliverInOrder(ctx, Target{s, limits}, messages)
			if (len(unsent) > 0) != (err != nil) || !slices.IsSorted(unsent) || s.most > 1 {
				t.Errorf("seed %d: unsent %v, %v; %d of a key at once", seed, unsent, err, s.most)
			}
			want := map[string][]byte{}
			held := map[string]bool{}
			for i, m := range messages {
				_, is := slices.BinarySearch(unsent, i)
				if held[m.Key] && !is {
					t.Errorf("seed %d: message %d left behind one of its key that did not", seed, i)
				}
				if held[m.Key] = is; !is {
					want[m.Key] = append(want[m.Key], m.Data...)
				}
			}
			for key := range want {
				if string(s.taken[key]) != string(want[key]) {
					t.Errorf("seed %d: of key %s %v were taken, want %v", seed, key, s.taken[key], want[key])
				}
			}
		})
	}
}

// A key that is not taken holds up itself and nobody else.
func TestInOrderOthersGoOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShelf(1, 0)
		s.never["0"] = true
		messages := keyed(rand.New(rand.NewPCG(1, 1)), 200, 5)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		unsent, err := deliverInOrder(ctx, Target{s, limited}, messages)
		if !errors.Is(err, errBusy) {
			t.Error(err)
		}
		for i, m := range messages {
			if _, is := slices.BinarySearch(unsent, i); is != (m.Key == "0") {
				t.Errorf("message %d of key %s: unsent is %v", i, m.Key, is)
			}
		}
	})
}

// Where no key comes twice there is no more to it than without an order: one
// request of each chunk.
func TestInOrderCostsNothingWithoutOne(t *testing.T) {
	s := newShelf(1, 0)
	unsent, err := deliverInOrder(t.Context(), Target{s, limited}, messagesOf(1700, 10))
	if len(unsent) > 0 || err != nil || s.calls != 4 {
		t.Errorf("unsent %v, %v, in %d requests", unsent, err, s.calls)
	}
	s = newShelf(1, 0)
	if _, err := deliverInOrder(t.Context(), Target{s, limited}, keyed(rand.New(rand.NewPCG(1, 1)), 100, 1)); err != nil || s.calls != 100 {
		t.Errorf("%v, in %d requests", err, s.calls)
	}
}

func TestInOrderForGood(t *testing.T) {
	sink := sinkFunc(func(context.Context, []Message) ([]int, error) { return nil, fmt.Errorf("no stream: %w", ErrPermanent) })
	if unsent, err := deliverInOrder(t.Context(), Target{sink, limited}, messagesOf(3, 1)); !slices.Equal(unsent, []int{0, 1, 2}) || !errors.Is(err, ErrPermanent) {
		t.Errorf("unsent %v, %v", unsent, err)
	}
	if unsent, err := deliverInOrder(t.Context(), Target{sink, limited}, nil); unsent != nil || err != nil {
		t.Errorf("unsent %v, %v", unsent, err)
	}
}

// Predictions leave by their records' keys, and packed ones in the order of
// where they go.
func TestOrderedBatch(t *testing.T) {
	s := newShelf(1, 0)
	e, _ := newEngine(s, nil, limited)
	e.Outgoing.Ordered = true
	b := batchOf("a", "b", "c", "d")
	for i, key := range []string{"x", "y", "x", string(make([]byte, 257))} {
		b.Items[i].Key = []byte(key)
	}
	if err := e.Handle(t.Context(), b); err != nil || fates(b) != "published+ published+ published+ published+" {
		t.Errorf("%s, %v", fates(b), err)
	}
	if string(s.taken["x"]) != "ac" || string(s.taken["y"]) != "b" || s.calls != 2 {
		t.Errorf("taken %q and %q in %d requests", s.taken["x"], s.taken["y"], s.calls)
	}
	s = newShelf(1, 0.5)
	messages := []Message{{Key: "a", HashKey: "0", Data: []byte("1")}, {Key: "b", HashKey: "7", Data: []byte("2")}, {Key: "c", HashKey: "0", Data: []byte("3")}}
	if _, err := deliverInOrder(t.Context(), Target{s, limited}, messages); err != nil || string(s.taken["0"]) != "13" || string(s.taken["7"]) != "2" {
		t.Errorf("taken %q, %v", s.taken, err)
	}
}
