package main

import (
	"hash/fnv"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/skiff-ml/skiff/cmd/internal/lambdatest/faults"
)

// The operations that the worker calls and that fail: Kinesis's, the dead-letter target's, and S3's with the bundle.
const (
	putRecords = "PutRecords"
	putObject  = "PutObject"
	getObject  = "GetObject"
)

// faultEvery is how many calls have one fault among them, on average: of few records more, so that there is one of each kind, and of many less,
// so that they are through one day.
func faultEvery(records int) int { return min(3+records/50_000, 10) }

// clockOff is how far a wrong clock is off: more than the 5 minutes that signatures may be old, and than S3's 15.
const clockOff = time.Hour

// A faultKind is a way for a call to fail.
type faultKind struct {
	name  string
	fault faults.Fault
	lost  bool // the call does what it asks for, and nobody hears that it did
}

// faultKinds are the ways for an operation to fail. late is longer than whoever calls waits.
func faultKinds(operation string, late time.Duration) []faultKind {
	throttled, internal, expired := faults.Throttle(), faults.InternalError(), faults.Expired()
	if operation != putRecords {
		throttled, internal = faults.SlowDown(), faults.Refuse(http.StatusInternalServerError, "InternalError", "We encountered an internal error.")
		expired = faults.Refuse(http.StatusBadRequest, "ExpiredToken", "The provided token has expired.")
	}
	kinds := []faultKind{
		{name: "throttled", fault: throttled},
		{name: "internal_error", fault: internal},
		{name: "expired_credentials", fault: expired},
		{name: "wrong_clock", fault: faults.WrongClock(clockOff)},
		{name: "reset_before", fault: faults.Reset(false)},
		{name: "reset_after", fault: faults.Reset(true), lost: true},
		{name: "truncated", fault: faults.Truncate(), lost: true},
	}
	if operation != getObject {
		kinds = append(kinds, faultKind{name: "reset_in_body", fault: faults.ResetInBody()}, faultKind{name: "too_slow", fault: faults.Slow(late), lost: true})
	}
	if operation == putRecords {
		kinds = append(kinds, faultKind{name: "partly_failed", fault: faults.Partly(func(i int, _ string) bool { return i%3 == 1 })})
	}
	return kinds
}

// A plan says which calls of an operation fail, and how: the seed does, and nothing else. The kinds come in decks that have each once.
type plan struct {
	kinds []faultKind

	every int // calls, a fault among them

	mu    sync.Mutex
	rng   *rand.Rand
	deck  []int
	calls []int // the kind of each call, or none
}

const none = -1

func newPlan(seed uint64, operation string, every int, late time.Duration) *plan {
	return &plan{kinds: faultKinds(operation, late), every: every, rng: random(seed, operation)}
}

// random is chance of its own for each purpose: what one takes of it does not change another's.
func random(seed uint64, purpose string) *rand.Rand {
	h := fnv.New64a()
	_, _ = h.Write([]byte(purpose))               // never fails
	return rand.New(rand.NewPCG(seed, h.Sum64())) //nolint:gosec // it has to come again with the seed
}

// of is the fault of the n-th call, from 1 on; nil for none.
func (p *plan) of(n int) *faultKind {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.calls) < n {
		next := none
		if p.rng.IntN(p.every) == 0 {
			if len(p.deck) == 0 {
				p.deck = p.rng.Perm(len(p.kinds))
			}
			next, p.deck = p.deck[0], p.deck[1:]
		}
		p.calls = append(p.calls, next)
	}
	if k := p.calls[n-1]; k != none {
		return &p.kinds[k]
	}
	return nil
}
