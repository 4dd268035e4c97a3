package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/skiff-ml/skiff/cmd/internal/lambdatest/mapping"
	"github.com/skiff-ml/skiff/cmd/internal/localstate"
	"github.com/skiff-ml/skiff/inference/limits"
)

// published is what the predictions stream holds, by ride.
type published struct {
	copies  []int     // of each ride's prediction
	minutes []float64 // each ride's first prediction
	differ  []bool    // a later copy has another value
	wrong   int       // records that are no prediction of this run for one of its rides
	why     error     // the first of them
}

func newPublished(n int) *published {
	return &published{copies: make([]int, n), minutes: make([]float64, n), differ: make([]bool, n)}
}

// rides is how many rides have a prediction, duplicates how many more predictions there are.
func (p *published) rides() (rides, duplicates int) {
	for _, c := range p.copies {
		if c > 0 {
			rides++
			duplicates += c - 1
		}
	}
	return rides, duplicates
}

// collect reads every shard of the predictions stream from its beginning to what is its end now.
func (p *published) collect(ctx context.Context, source *mapping.Source, m manifest) error {
	shards, err := source.Shards(ctx)
	if err != nil {
		return fmt.Errorf("listing the shards of %s: %w", localstate.PredictionsStream, err)
	}
	for _, shard := range shards {
		after := ""
		for {
			records, ended, err := source.Read(ctx, shard.ID, after, limits.GetRecords)
			if err != nil {
				return fmt.Errorf("reading %s of %s: %w", shard.ID, localstate.PredictionsStream, err)
			}
			for _, r := range records {
				if err := p.add(r.Data, m); err != nil {
					p.wrong++
					if p.why == nil {
						p.why = fmt.Errorf("record %s of %s: %w", r.SequenceNumber, localstate.PredictionsStream, err)
					}
				}
				after = r.SequenceNumber
			}
			if ended || len(records) == 0 {
				break
			}
		}
	}
	return nil
}

// add takes one record of the predictions stream.
func (p *published) add(data []byte, m manifest) error {
	var out struct {
		Version    string                     `json:"version"`
		Prediction map[string]json.RawMessage `json:"prediction"`
	}
	if err := json.Unmarshal(data, &out); err != nil {
		return fmt.Errorf("decoding: %w", err)
	}
	if out.Version != m.runID {
		return fmt.Errorf("its version is %q", out.Version)
	}
	id, err := strconv.Atoi(string(out.Prediction[m.id]))
	if err != nil || id < 0 || id >= len(p.copies) {
		return errors.New("its " + m.id + " is of no ride")
	}
	minutes, err := strconv.ParseFloat(string(out.Prediction[m.prediction]), 64)
	if err != nil {
		return errors.New("its " + m.prediction + " is no number")
	}
	if p.copies[id]++; p.copies[id] == 1 {
		p.minutes[id] = minutes
	} else if math.Float64bits(p.minutes[id]) != math.Float64bits(minutes) {
		p.differ[id] = true
	}
	return nil
}

// equal says whether every copy of a ride's prediction is want, to the last bit.
func (p *published) equal(id int, want float64) bool {
	return p.copies[id] > 0 && !p.differ[id] && math.Float64bits(p.minutes[id]) == math.Float64bits(want)
}
