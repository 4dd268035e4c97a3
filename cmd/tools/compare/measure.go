package main

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/skiff-ml/skiff/cmd/tools/internal/measuring"
)

// visit is how long a candidate runs on a batch size before it is the next
// one's turn; one invocation at least.
const visit = 100 * time.Millisecond

// A Result is what a record costs a candidate at a batch size.
type Result struct {
	Who       string  `json:"who"`
	Batch     int     `json:"batch"`
	PerRecord float64 `json:"us_per_record"` // median over rounds
	Min       float64 `json:"min"`
	Max       float64 `json:"max"`
	N         int     `json:"n"`       // rounds
	Records   int     `json:"records"` // of an event: fewer than batch where the candidate is slow
}

// records returns how many records an event of a batch size has for p.
func (p *process) records(batch int) int {
	if p.slow {
		return min(batch, slowRecords)
	}
	return batch
}

// measure runs rounds over all batch sizes, and in each over all candidates,
// so that what the machine does meanwhile is in all of them. Each round begins
// with another one. Turns are as short as can be: what comes in bursts is in
// the median of many turns less than in a long one.
func (c *comparison) measure(ctx context.Context, processes []*process) ([]Result, error) {
	type series struct {
		process *process
		batch   int
		us      []float64
	}
	var all []*series
	for _, batch := range c.batches {
		for _, p := range processes {
			s := &series{process: p, batch: batch}
			all = append(all, s)
			records := p.records(batch)
			if _, err := p.measure(c.events.of(records), records, 0); err != nil { // to be warm
				return nil, err
			}
		}
	}
	for turn := range c.rounds {
		for at := range all {
			s := all[(at+turn)%len(all)]
			p, records := s.process, s.process.records(s.batch)
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			c.progress.Show(fmt.Sprintf("round %d of %d: %s, batches of %d", turn+1, c.rounds, p.who, s.batch))
			us, err := p.measure(c.events.of(records), records, visit)
			if err != nil {
				return nil, err
			}
			s.us = append(s.us, us)
		}
	}
	results := make([]Result, len(all))
	for i, s := range all {
		spread := measuring.SpreadOf(s.us)
		results[i] = Result{s.process.who, s.batch, round(spread.Median), round(spread.Min), round(spread.Max), spread.N, s.process.records(s.batch)}
	}
	return results, nil
}

// round keeps the decimals that mean something in µs, ms and MB.
func round(x float64) float64 { return math.Round(x*1000) / 1000 }
