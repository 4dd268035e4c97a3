package simulation

import (
	"maps"
	"slices"
	"testing"

	"github.com/skiff-ml/skiff/cmd/internal/lambdatest/mapping"
)

// shrink returns the shortest history that it finds in which the same goes wrong: without faults and records that it does not take, and with
// settings that are as simple as can be.
func shrink(t *testing.T, h history, injected map[place]byte, invariant string) (history, *violation) {
	t.Helper()
	h = h.of(injected)
	v, _ := run(t, h)
	if v == nil || v.invariant != invariant {
		return h, v // it depends on what no history says
	}
	for again := true; again; {
		again = false
		for _, shorter := range h.shorter() {
			if w, _ := run(t, shorter); w != nil && w.invariant == invariant {
				h, v, again = shorter, w, true
				break
			}
		}
	}
	return h, v
}

// shorter are the histories that are one step shorter or simpler.
func (h history) shorter() []history {
	var all []history
	with := func(change func(c *history)) {
		c := h
		c.Faults, c.Records = maps.Clone(h.Faults), slices.Clone(h.Records)
		change(&c)
		if c.String() != h.String() {
			all = append(all, c)
		}
	}
	for _, p := range h.places() {
		with(func(c *history) { delete(c.Faults, p) })
	}
	for _, p := range h.places() { // an invocation less
		with(func(c *history) {
			clear(c.Faults)
			for q, fault := range h.Faults {
				if q.shard == p.shard && q.invocation > p.invocation {
					q.invocation--
				} else if q.shard == p.shard && q.invocation == p.invocation {
					continue
				}
				c.Faults[q] = fault
			}
		})
	}
	for i := range h.Records {
		if len(h.Records) > 1 {
			with(func(c *history) { c.Records = slices.Delete(c.Records, i, i+1) })
		}
		with(func(c *history) { c.Records[i].kind = 'g' })
	}
	for _, simpler := range []func(c *history){
		func(c *history) { c.Shards = 1 }, func(c *history) { c.Calls = 1 }, func(c *history) { c.Batch = 10 }, func(c *history) { c.PerCall = 10 },
		func(c *history) { c.Bisect = false }, func(c *history) { c.Age = false }, func(c *history) { c.Window = false }, func(c *history) { c.Reshard = 0 }, func(c *history) { c.Report = true },
	} {
		with(simpler)
	}
	if h.Letters != "none" {
		with(func(c *history) { c.Letters = "kinesis" })
		with(func(c *history) { c.Retries = mapping.Endless })
	}
	return all
}
