package mapping

import (
	"context"
	"fmt"
	"time"

	"github.com/skiff-ml/skiff/cmd/internal/lambdatest"
	"github.com/skiff-ml/skiff/inference/limits"
)

// batcher collects the records of one shard, or of one lane of it, into batches.
type batcher struct {
	mapping *Mapping
	shard   string
	lane    int // of ParallelizationFactor

	after   string             // sequence number of the last record read
	pending []lambdatest.Entry // read, not yet in a batch; at most a batch's worth
	since   time.Time          // when the first of pending was read, or left over from the batch before
	ended   bool
}

// next waits for a batch: until the next record would make it too large, its window is over, or the shard has ended. No entries and no error
// mean that nothing is left, or that there was nothing before end, which is zero for no such time.
func (b *batcher) next(ctx context.Context, end time.Time) ([]lambdatest.Entry, error) {
	config := b.mapping.config
	for {
		n := b.fit()
		full := n == config.BatchSize || n < len(b.pending)
		left := config.MaximumBatchingWindow - time.Since(b.since)
		if b.ended || n > 0 && (full || left <= 0) {
			return b.take(n), nil
		}
		got, err := b.read(ctx, config.BatchSize-len(b.pending))
		if err != nil {
			return nil, err
		}
		if got == 0 && !b.ended {
			pause := config.PollInterval
			if n > 0 {
				pause = min(pause, left)
			} else if !end.IsZero() {
				if !time.Now().Before(end) {
					return nil, nil
				}
				pause = min(pause, time.Until(end))
			}
			if err := wait(ctx, pause); err != nil {
				return nil, err
			}
		}
	}
}

// fit is how many of the pending records go into one event: at least one, if there is any, and all of one tumbling window.
func (b *batcher) fit() int {
	size := lambdatest.EventSize(nil)
	tumbling := b.mapping.config.TumblingWindow
	if tumbling > 0 {
		size += windowSize
	}
	for i := range b.pending {
		size += b.pending[i].Size()
		if i > 0 && (size > limits.Request || tumbling > 0 && !windowOf(b.pending[i].Arrived, tumbling).start.Equal(windowOf(b.pending[0].Arrived, tumbling).start)) {
			return i
		}
	}
	return len(b.pending)
}

func (b *batcher) take(n int) []lambdatest.Entry {
	head := b.pending[:n:n]
	b.pending = b.pending[n:]
	b.since = time.Now()
	return head
}

// read appends up to limit records to pending and returns how many.
func (b *batcher) read(ctx context.Context, limit int) (int, error) {
	records, ended, err := b.mapping.records.Read(ctx, b.shard, b.after, limit)
	if err != nil {
		return 0, fmt.Errorf("reading %s: %w", b.shard, err)
	}
	b.ended = ended
	if len(b.pending) == 0 {
		b.since = time.Now()
	}
	for _, r := range records {
		b.after = r.SequenceNumber
		if b.mapping.laneOf(r.PartitionKey) != b.lane {
			continue
		}
		if !b.mapping.wanted(r.Data) {
			b.mapping.countFiltered()
			continue
		}
		e, err := b.mapping.config.origin().Entry(b.shard, r)
		if err != nil {
			return 0, err
		}
		b.pending = append(b.pending, e)
	}
	return len(records), nil
}
