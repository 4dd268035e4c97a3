package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/skiff-ml/skiff/cmd/internal/lambdatest/kinesalite"
	"github.com/skiff-ml/skiff/cmd/internal/lambdatest/mapping"
	"github.com/skiff-ml/skiff/cmd/internal/localstate"
)

const (
	reshardings = 8 // of the rides stream, every other one a split
	askPassed   = 20 * time.Millisecond
)

// putAhead is how many records are put and not answered for: few enough for resharding to meet records on their way, and so many that a shard has
// some while a worker waits with another's.
func putAhead(records int) int { return max(10_000, records/10) }

// A resharding splits and merges shards of the rides stream while records are put there and read: at which records, and which shards, is the seed's
// to say.
type resharding struct {
	server  *kinesalite.Server
	records int           // in all
	passed  *atomic.Int64 // those answered for
	rng     *rand.Rand

	splits, merges int
}

// startSource starts kinesalite, and has the rides come by it.
func (k *soaked) startSource(ctx context.Context, st *stack) error {
	log, err := st.createLog("kinesalite.log")
	if err != nil {
		return err
	}
	dir := filepath.Join(st.temp, "kinesalite")
	if err := os.Mkdir(dir, 0o750); err != nil {
		return fmt.Errorf("making kinesalite's folder: %w", err)
	}
	if k.source, err = kinesalite.Start(ctx, kinesalite.Config{Module: k.settings.kinesalite, Dir: dir, Log: log}); err != nil {
		return st.problem(err, "kinesalite.log")
	}
	st.closers = append(st.closers, k.source.Stop)
	st.rides = k.source.Kinesis
	return k.source.CreateStream(ctx, localstate.RidesStream, k.settings.shards)
}

// pace waits until the record that is next may be put, and reshards where it is time to.
func (r *resharding) pace(ctx context.Context, next int) error {
	tick := time.NewTicker(askPassed)
	defer tick.Stop()
	for next > int(r.passed.Load())+putAhead(r.records) {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	done := r.splits + r.merges
	if done == reshardings || next < r.records*(done+1)/(reshardings+1) {
		return nil
	}
	if done%2 == 0 {
		r.splits++
		return r.server.Split(ctx, localstate.RidesStream, r.rng)
	}
	r.merges++
	return r.server.Merge(ctx, localstate.RidesStream, r.rng)
}

// early counts the shards of which a record came before all of their parents' had: attempts are the shards of invocations, in their order.
func early(shards []mapping.Shard, attempts []string) int {
	first, last := map[string]int{}, map[string]int{}
	for i, shard := range attempts {
		if _, ok := first[shard]; !ok {
			first[shard] = i
		}
		last[shard] = i
	}
	n := 0
	for _, s := range shards {
		began, ok := first[s.ID]
		for _, parent := range s.Parents {
			if end, read := last[parent]; ok && read && end > began {
				n++
				break
			}
		}
	}
	return n
}
