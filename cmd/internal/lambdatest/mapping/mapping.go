package mapping

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/skiff-ml/skiff/cmd/internal/lambdatest"
)

// Record is a record of a stream.
type Record = lambdatest.Record

// Shard is a shard of a stream and what it was made from: no parent, one (split) or two (merge).
type Shard struct {
	ID      string
	Parents []string
}

// Lister lists the shards of a stream, closed ones too.
type Lister interface {
	Shards(ctx context.Context) ([]Shard, error)
}

// Reader reads up to limit records of a shard that come after a sequence number ("" for the oldest on). It returns no records when there are
// none at the moment, and ended when the shard is closed and nothing comes after these. An error means that reading on makes no sense.
type Reader interface {
	Read(ctx context.Context, shard, after string, limit int) (records []Record, ended bool, err error)
}

// Result is what came of an invocation that took place.
type Result struct {
	RequestID     string
	Payload       []byte
	FunctionError string // "" for success, else "Unhandled"; a timeout or a crash is one as well
}

// message is what a failed invocation's error document says, or "".
func (r Result) message() string {
	if r.FunctionError == "" {
		return ""
	}
	var document struct {
		Message string `json:"errorMessage"`
	}
	if json.Unmarshal(r.Payload, &document) != nil {
		return ""
	}
	return document.Message
}

// Invoker invokes the function with an event and waits for its result. An error means that the function cannot be invoked at all.
type Invoker interface {
	Invoke(ctx context.Context, event []byte) (Result, error)
}

// Destination takes what the mapping gives up. Its error ends the mapping: nothing is dropped silently.
type Destination interface {
	Discard(ctx context.Context, d Discarded) error
}

// Progress counts what a mapping has done so far. A record is delivered, discarded or filtered exactly once.
type Progress struct {
	Invocations int
	Delivered   int // records the function has answered for
	Discarded   int // records given to the on-failure destination
	Filtered    int // records that no filter wanted
}

// Mapping reads a stream and invokes a function with its records, each at least once, in the order of their shard.
type Mapping struct {
	config     Config
	filters    []filter
	shards     Lister
	records    Reader
	function   Invoker
	onFailure  Destination
	onProgress func(Progress)
	log        *slog.Logger

	mu       sync.Mutex
	progress Progress
}

// Parts are what a mapping connects. All are needed but OnProgress, which is called after every change, one call at a time.
type Parts struct {
	Shards     Lister
	Records    Reader
	Function   Invoker
	OnFailure  Destination
	OnProgress func(Progress)
	Log        *slog.Logger
}

// New makes a mapping, or says which setting AWS would refuse.
func New(config Config, parts Parts) (*Mapping, error) {
	if err := config.Validate(); err != nil {
		return nil, fmt.Errorf("making an event source mapping: %w", err)
	}
	m := &Mapping{
		config: config.complete(), shards: parts.Shards, records: parts.Records, function: parts.Function,
		onFailure: parts.OnFailure, onProgress: parts.OnProgress, log: parts.Log,
	}
	for _, pattern := range config.FilterCriteria {
		f, err := parseFilter(pattern)
		if err != nil {
			return nil, err // validated
		}
		m.filters = append(m.filters, f)
	}
	return m, nil
}

// Run maps until ctx is done (the error is then ctx's), until every shard has ended (no error), or until a shard cannot be read, the function
// cannot be invoked, or the on-failure destination refuses. An expired or deleted shard is such an error: Run does not wait for it to come back.
func (m *Mapping) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	var (
		wg      sync.WaitGroup
		started = map[string]bool{}
		drained = map[string]bool{}
		running = 0
	)
	defer wg.Wait()
	defer cancel()

	type end struct {
		shard string
		err   error
	}
	ends := make(chan end)
	for {
		shards, err := m.shards.Shards(ctx)
		if err != nil {
			return fmt.Errorf("listing shards: %w", err)
		}
		for _, s := range startable(shards, started, drained) {
			started[s] = true
			running++
			wg.Go(func() {
				e := end{s, m.follow(ctx, s)}
				select {
				case ends <- e:
				case <-ctx.Done():
				}
			})
		}
		if running == 0 {
			return nil
		}
		select {
		case e := <-ends:
			if e.err != nil {
				return e.err
			}
			running--
			drained[e.shard] = true
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// startable are the shards not yet started whose parents, as far as the stream still knows them, are drained.
func startable(shards []Shard, started, drained map[string]bool) []string {
	known := make(map[string]bool, len(shards))
	for _, s := range shards {
		known[s.ID] = true
	}
	var ids []string
	for _, s := range shards {
		waits := started[s.ID]
		for _, p := range s.Parents {
			waits = waits || known[p] && !drained[p]
		}
		if !waits {
			ids = append(ids, s.ID)
		}
	}
	return ids
}

// follow delivers the batches of one shard until it ends: those of its lanes at once, where there are several.
func (m *Mapping) follow(ctx context.Context, shard string) error {
	if m.config.ParallelizationFactor == 1 {
		return m.followLane(ctx, shard, 0)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var lanes sync.WaitGroup
	for lane := range m.config.ParallelizationFactor {
		lanes.Go(func() {
			if err := m.followLane(ctx, shard, lane); err != nil {
				cancel(err)
			}
		})
	}
	lanes.Wait()
	return context.Cause(ctx)
}

// laneOf is which of a shard's lanes has the records of a key: all of them, so that they stay in order.
func (m *Mapping) laneOf(key string) int {
	if m.config.ParallelizationFactor == 1 {
		return 0
	}
	h := fnv.New32a()
	_, _ = io.WriteString(h, key)                                  // never fails
	return int(h.Sum32() % uint32(m.config.ParallelizationFactor)) //nolint:gosec // up to 10
}

// followLane delivers the batches of a lane, one after the other. A tumbling window is closed when its time is over, or when there is a record of
// a later one, or no more at all.
func (m *Mapping) followLane(ctx context.Context, shard string, lane int) error {
	b := &batcher{mapping: m, shard: shard, lane: lane}
	var open *window
	for {
		entries, err := b.next(ctx, open.until())
		if err != nil {
			return err
		}
		if open != nil && (len(entries) == 0 || !open.has(entries[0].Arrived)) {
			if err := m.closeWindow(ctx, shard, open); err != nil {
				return err
			}
			open = nil
		}
		if len(entries) == 0 {
			if b.ended {
				return nil
			}
			continue
		}
		if m.config.TumblingWindow > 0 && open == nil {
			open = windowOf(entries[0].Arrived, m.config.TumblingWindow)
		}
		if err := m.deliver(ctx, batch{shard: shard, entries: entries, window: open}); err != nil {
			return err
		}
		if open != nil && open.full() {
			if err := m.endEarly(ctx, shard, open); err != nil {
				return err
			}
		}
	}
}

func (m *Mapping) count(invocations, delivered, discarded int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.progress.Invocations += invocations
	m.progress.Delivered += delivered
	m.progress.Discarded += discarded
	if m.onProgress != nil {
		m.onProgress(m.progress)
	}
}

func (m *Mapping) countFiltered() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.progress.Filtered++
	if m.onProgress != nil {
		m.onProgress(m.progress)
	}
}

// wait waits for d, or for ctx, whose error it returns.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
