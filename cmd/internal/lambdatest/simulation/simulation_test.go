package simulation

import (
	"flag"
	"fmt"
	"reflect"
	"runtime"
	"sync/atomic"
	"testing"
	"time"
)

var (
	seeds = flag.Uint64("seeds", 3000, "how many histories")
	first = flag.Uint64("first", 1, "the first one's seed")
)

// Whatever fails, and wherever: what has to hold does. A seed that says otherwise is told, with the shortest history in which it happens.
func TestSimulate(t *testing.T) {
	began := time.Now()
	var next atomic.Uint64
	next.Store(*first)
	var failed atomic.Bool
	t.Run("histories", func(t *testing.T) {
		for w := range runtime.GOMAXPROCS(0) {
			t.Run(fmt.Sprint(w), func(t *testing.T) {
				t.Parallel()
				for !failed.Load() {
					seed := next.Add(1) - 1
					if seed >= *first+*seeds {
						return
					}
					h := newHistory(seed)
					v, injected := run(t, h)
					if v == nil {
						continue
					}
					failed.Store(true)
					shortest, w := shrink(t, h, injected, v.invariant)
					t.Errorf("seed %d: %v\nthe shortest history: %v\n%v", seed, v, shortest, w)
				}
			})
		}
	})
	took := time.Since(began)
	t.Logf("%d histories in %v, %.0f a minute", *seeds, took.Round(time.Millisecond), float64(*seeds)/took.Minutes())
}

// A seed is the same history again, and so is its text.
func TestASeedIsAHistory(t *testing.T) {
	for seed := range uint64(100) {
		h := newHistory(seed + 1)
		_, injected := run(t, h)
		if _, again := run(t, h); !reflect.DeepEqual(injected, again) {
			t.Errorf("seed %d: faults %v, then %v", seed+1, injected, again)
		}
		h = h.of(injected)
		read, err := parse(h.String())
		if err != nil || !reflect.DeepEqual(read, h) {
			t.Errorf("seed %d: %v\n%v, %v", seed+1, h, read, err)
		}
	}
}

// Histories with a name: the shortest in which a fault that was made once, or planted, did harm. None does any now.
func TestHistories(t *testing.T) {
	for name, text := range map[string]string{
		"bad records with nowhere to go":                       "shards=1 batch=10 percall=10 calls=1 letters=none retries=3 report | 6b 8l |",
		"bad records with nowhere to go, and nobody reads":     "shards=1 batch=10 percall=10 calls=1 letters=none retries=3 | 3l |",
		"a good one before a bad one with nowhere to go":       "shards=1 batch=10 percall=10 calls=1 letters=none retries=3 report | 4g 8l |",
		"a dead letter unanswered, then refused":               "shards=2 batch=10 percall=10 calls=1 letters=kinesis retries=-1 report | 3l | 1.0.letter.3.0=s 1.0.letter.3.1=e",
		"the first of two refused":                             "shards=2 batch=10 percall=10 calls=1 letters=kinesis retries=-1 report | 1g 5g | 1.0.put.1.0=p",
		"one refused, again refused, then throttled for good":  "shards=1 batch=10 percall=10 calls=1 letters=kinesis retries=-1 report | 0g 7g | 0.0.put.0.0=q 0.0.put.0.1=a 0.0.put.0.2=o",
		"a reset, then a model that leaves no time":            "shards=1 batch=10 percall=10 calls=1 letters=kinesis retries=-1 report | 6g | 0.0.put.6.0=r 0.1.model.0.0=s",
		"a letter taken unheard, and the next one reset":       "shards=1 batch=4 percall=1 calls=1 letters=kinesis retries=-1 report | 0g 1g 2g 3g 4b 5b | 0.1.letter.4.0=R 0.2.letter.5.0=r",
		"a reset before anything is put":                       "shards=1 batch=10 percall=10 calls=1 letters=kinesis retries=-1 report | 6g | 0.0.put.6.0=r",
		"an answer that lacks the last entry":                  "shards=1 batch=10 percall=10 calls=1 letters=none retries=3 report | 0g | 0.0.put.0.0=m",
		"killed when all is put, with a swap before the retry": "shards=1 batch=10 percall=2 calls=2 letters=s3 retries=-1 report bisect | 0g 1b 2g 3l | 0.0.answer.0.0=k 0.1.model.0.0=w",
	} {
		t.Run(name, func(t *testing.T) {
			h, err := parse(text)
			if err != nil {
				t.Fatal(err)
			}
			v, injected := run(t, h)
			if v != nil {
				t.Error(v)
			}
			for p, fault := range h.Faults {
				if injected[p] != fault {
					t.Errorf("fault %v took no place: %v did", p, injected)
				}
			}
		})
	}
}
