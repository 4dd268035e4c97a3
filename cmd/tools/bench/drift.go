package main

import (
	"fmt"
	"io"

	"github.com/skiff-ml/skiff/cmd/tools/internal/measuring"
)

// The ways that count drift.
const (
	driftOn    = "DRIFT=on"
	driftWords = "DRIFT=words"
)

// A Drift is what counting adds to a record, with it and without it in turn.
type Drift struct {
	Batch   int              `json:"batch"`
	Off     measuring.Spread `json:"off_ns_per_record"`
	On      measuring.Spread `json:"on_ns_per_record"`
	Words   measuring.Spread `json:"words_ns_per_record"` // with new words as well
	Percent float64          `json:"on_percent"`          // that on takes longer, of the medians
}

// drift returns what there is of it among what was measured; nil where the bundle
// has no sketch.
func (d *Beside) drift() *Drift {
	found := &Drift{Batch: d.Batch, Off: d.Off}
	for _, a := range d.Added {
		switch a.With {
		case driftOn:
			found.On, found.Percent = a.Record, a.Percent
		case driftWords:
			found.Words = a.Record
		}
	}
	if found.On.N == 0 {
		return nil
	}
	return found
}

// write says it for people.
func (d *Drift) write(w io.Writer) {
	if d == nil {
		return
	}
	fmt.Fprintf(w, "\nWith DRIFT=on, batches of %d: %.0f ns/record instead of %.0f, %+.1f %%, medians of %d invocations; with words %.0f\n",
		d.Batch, d.On.Median, d.Off.Median, d.Percent, d.On.N, d.Words.Median)
}
