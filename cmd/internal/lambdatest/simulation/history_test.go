package simulation

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"github.com/skiff-ml/skiff/cmd/internal/lambdatest/mapping"
)

// A history is what happens to the worker.
type history struct {
	Records []record
	Shards  int
	Batch   int    // records of an invocation, at most
	PerCall int    // messages of a call, at most
	Calls   int    // at once
	Report  bool   // the mapping reads batchItemFailures
	Letters string // where dead letters go: kinesis, s3, sqs or none
	Retries int    // mapping.Endless, or how many
	Bisect  bool
	Age     bool // records are given up when they are a minute old
	Window  bool // there are tumbling windows
	Reshard int  // records from this one on are in a shard made of the others; 0: there is none

	Faults map[place]byte // where there is no seed

	seed  uint64
	every int    // calls have a fault among them
	few   string // the kinds there are in it: a swarm of histories with a few each finds more than one with all
}

// A record is one of the stream: good, bad, or good with a prediction that is too large.
type record struct {
	id   int
	kind byte // g, b, l
}

// A place is where a fault is: in which invocation of a shard, at which of its calls. A call is known by its operation, by the first record of
// its messages when they were first put, and by how often they were tried before.
type place struct {
	shard, invocation int
	operation         string // put, letter, model or answer
	first, try        int
}

// The faults, by operation.
//
//	t throttled   i internal error   e expired credentials
//	p, q          every second message is refused, from the first or from the second on
//	a             every message is refused by itself
//	o             throttled, and so is every try after it in this invocation
//	r, R          the connection breaks, before or after it is done
//	s, S          there is no answer, before or after it is done
//	m             it is done but for the last message, which the answer lacks
//	k, K          the process is killed, before or after it is done
//
// Of a model: s it takes all the time that there is but a moment, x more than that, f it fails, w it is changed for another one before.
// Of an answer: k the process is killed before it is heard.
var kinds = map[string]string{
	"kinesis": "tiepqpqaorRsSmkK", "s3": "tieorRsSkK", "sqs": "tiepqpqaorRsSkK", "model": "sxfw", "answer": "k",
}

// allKinds are those of calls.
const allKinds = "tiepqaorRsSmkK"

// lost are the faults of a call that does what it is for, and whose answer says otherwise or nothing.
const lost = "RSmK"

// Bounds, so that histories end.
const (
	faultyInvocations = 6 // of a shard, the first
	faultyTries       = 4
)

// newHistory is the history of a seed.
func newHistory(seed uint64) history {
	rng := rand.New(rand.NewPCG(seed, 0))
	h := history{
		seed: seed, Shards: 1 + rng.IntN(2), Batch: 1 + rng.IntN(8), PerCall: 1 + rng.IntN(6), Calls: 1 + rng.IntN(3), Report: rng.IntN(4) > 0,
		Letters: []string{"none", "kinesis", "s3", "sqs"}[rng.IntN(4)], Retries: mapping.Endless, Bisect: rng.IntN(2) == 0, Age: rng.IntN(8) == 0, Window: rng.IntN(8) == 0,
		Faults: map[place]byte{}, every: []int{2, 2, 3, 5, 10}[rng.IntN(5)],
	}
	for id := range 1 + rng.IntN(10) {
		h.Records = append(h.Records, record{id, "ggggbbl"[rng.IntN(7)]})
	}
	if rng.IntN(4) == 0 {
		h.Reshard = 1 + rng.IntN(5)
	}
	for _, kind := range allKinds {
		if rng.IntN(3) == 0 {
			h.few += string(kind)
		}
	}
	if h.Letters == "none" || rng.IntN(8) == 0 { // what is bad without dead letters would come for ever
		h.Retries = rng.IntN(4)
	}
	return h
}

// of is the history with these faults and no others.
func (h history) of(faults map[place]byte) history {
	h.seed, h.every, h.few, h.Faults = 0, 0, "", faults
	return h
}

// shardOf is the shard of a record.
func (h *history) shardOf(id int) int {
	if h.Reshard > 0 && id >= h.Reshard {
		return h.Shards
	}
	return id % h.Shards
}

// fault is what happens at a place, or 0.
func (h *history) fault(p place, kinds string) byte {
	if h.seed == 0 {
		return h.Faults[p]
	}
	if p.invocation >= faultyInvocations || p.try >= faultyTries {
		return 0
	}
	hash := fnv.New64a()
	fmt.Fprint(hash, p)
	rng := rand.New(rand.NewPCG(h.seed, hash.Sum64()))
	every := h.every
	if p.try > 0 { // what has failed fails again
		every = 2
	}
	if rng.IntN(every) > 0 {
		return 0
	}
	kind := kinds[rng.IntN(len(kinds))]
	for range 2 { // one of the few, if it can be
		if strings.IndexByte(h.few, kind) < 0 {
			kind = kinds[rng.IntN(len(kinds))]
		}
	}
	if dies := strings.IndexByte("kK", kind); dies >= 0 && p.operation != "answer" && h.Calls > 1 {
		return "rR"[dies] // what other calls of a process that dies get done at that moment is nobody's choice
	}
	return kind
}

// String is the history as text, which parse reads.
func (h history) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "shards=%d batch=%d percall=%d calls=%d letters=%s retries=%d", h.Shards, h.Batch, h.PerCall, h.Calls, h.Letters, h.Retries)
	if h.Reshard > 0 {
		fmt.Fprintf(&b, " reshard=%d", h.Reshard)
	}
	for _, is := range []struct {
		on   bool
		name string
	}{{h.Report, " report"}, {h.Bisect, " bisect"}, {h.Age, " age"}, {h.Window, " window"}} {
		if is.on {
			b.WriteString(is.name)
		}
	}
	b.WriteString(" |")
	for _, r := range h.Records {
		fmt.Fprintf(&b, " %d%c", r.id, r.kind)
	}
	b.WriteString(" |")
	for _, p := range h.places() {
		fmt.Fprintf(&b, " %d.%d.%s.%d.%d=%c", p.shard, p.invocation, p.operation, p.first, p.try, h.Faults[p])
	}
	return b.String()
}

// places are those of the faults, in order.
func (h *history) places() []place {
	var places []place
	for p := range h.Faults {
		places = append(places, p)
	}
	slices.SortFunc(places, func(a, b place) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	return places
}

// parse reads a history's text.
func parse(text string) (history, error) {
	h := history{Faults: map[place]byte{}}
	parts := strings.Split(text, "|")
	if len(parts) != 3 {
		return h, fmt.Errorf("%q has not three parts", text)
	}
	for word := range strings.FieldsSeq(parts[0]) {
		name, value, _ := strings.Cut(word, "=")
		n, _ := strconv.Atoi(value)
		switch name {
		case "shards":
			h.Shards = n
		case "batch":
			h.Batch = n
		case "percall":
			h.PerCall = n
		case "calls":
			h.Calls = n
		case "retries":
			h.Retries = n
		case "reshard":
			h.Reshard = n
		case "letters":
			h.Letters = value
		case "report":
			h.Report = true
		case "bisect":
			h.Bisect = true
		case "age":
			h.Age = true
		case "window":
			h.Window = true
		default:
			return h, fmt.Errorf("there is no %q", name)
		}
	}
	for word := range strings.FieldsSeq(parts[1]) {
		var r record
		if _, err := fmt.Sscanf(word, "%d%c", &r.id, &r.kind); err != nil {
			return h, fmt.Errorf("record %q: %w", word, err)
		}
		h.Records = append(h.Records, r)
	}
	for word := range strings.FieldsSeq(parts[2]) {
		where, kind, _ := strings.Cut(word, "=")
		f := strings.Split(where, ".")
		if len(f) != 5 || len(kind) != 1 {
			return h, fmt.Errorf("fault %q", word)
		}
		var n [5]int
		for i := range f {
			n[i], _ = strconv.Atoi(f[i]) // the operation is none
		}
		h.Faults[place{n[0], n[1], f[2], n[3], n[4]}] = kind[0]
	}
	return h, nil
}
