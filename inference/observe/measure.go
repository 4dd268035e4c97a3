package observe

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/skiff-ml/skiff/inference"
)

// maxColumns is how many columns have a metric of their own in an invocation,
// of those with the most to count; what the others have is under other. Each
// name costs, and a model may have thousands.
const maxColumns = 10

const other = "other"

// A Count is a number under a name.
type Count struct {
	Name string
	N    int
}

// A Measurement is the numbers of one invocation.
type Measurement struct {
	RunID       string
	Failed      bool // the batch has to come again as a whole
	Records     int
	Predictions int     // published
	Rejected    int     // can never succeed
	DeadLetters []Count // by reason, confirmed
	Canary      int     // of the predictions, the canary's
	Unsent      int     // to be tried again
	Retries     int     // messages that were not taken at a try
	Unknown     []Count // categories, by column
	Missing     []Count // values, by column
	Timing      inference.Timing
	ModelAge    time.Duration // since the model was logged; negative: not known
	IteratorAge time.Duration // of the last record, since it came to the stream; negative: not known
	Alias       bool          // the run is an alias's
	Behind      bool          // which stands for something that is not served
	Shadow      *Shadow       // nil: none
}

// measure returns the numbers of a batch.
func measure(ctx context.Context, b *inference.Batch, err error, now time.Time) *Measurement {
	m := &Measurement{
		RunID: b.RunID, Failed: err != nil, Records: b.Records, Canary: b.Canary, Retries: retries(ctx), Timing: b.Timing,
		ModelAge: -1, IteratorAge: -1,
	}
	for i := range b.Outcomes {
		o := &b.Outcomes[i]
		switch o.Fate {
		case inference.Published:
			m.Predictions++
		case inference.Retry:
			m.Unsent++
		}
		if o.Rejection != nil {
			m.Rejected++
			if o.DeadLettered {
				m.DeadLetters = add(m.DeadLetters, string(o.Rejection.Reason), 1)
			}
		}
	}
	for _, c := range b.Columns {
		m.Unknown, m.Missing = add(m.Unknown, c.Name, c.Unknown), add(m.Missing, c.Name, c.Missing)
	}
	m.Unknown, m.Missing = bound(m.Unknown), bound(m.Missing)
	if !b.Logged.IsZero() {
		m.ModelAge = now.Sub(b.Logged)
	}
	if n := len(b.Items); n > 0 {
		if at, err := strconv.ParseFloat(string(b.Items[n-1].Arrived), 64); err == nil && at > 0 && at < 1<<40 {
			m.IteratorAge = max(0, now.Sub(time.UnixMilli(int64(at*1000))))
		}
	}
	return m
}

// add adds n under a name.
func add(counts []Count, name string, n int) []Count {
	if n == 0 {
		return counts
	}
	for i := range counts {
		if counts[i].Name == name {
			counts[i].N += n
			return counts
		}
	}
	return append(counts, Count{name, n})
}

// bound leaves the largest counts, by name; the rest are one, other.
func bound(counts []Count) []Count {
	if len(counts) <= maxColumns {
		return counts
	}
	slices.SortStableFunc(counts, func(a, b Count) int { return cmp.Compare(b.N, a.N) })
	rest := Count{Name: other}
	for _, c := range counts[maxColumns:] {
		rest.N += c.N
	}
	return append(counts[:maxColumns:maxColumns], rest)
}

func sum(counts []Count) int {
	n := 0
	for _, c := range counts {
		n += c.N
	}
	return n
}
