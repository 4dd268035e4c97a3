package mapping

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"github.com/skiff-ml/skiff/cmd/internal/lambdatest"
	"github.com/skiff-ml/skiff/inference/limits"
)

// Endless is the MaximumRetryAttempts of retrying for ever.
const Endless = -1

// Config is the settings of an event source mapping, under the names CreateEventSourceMapping gives them.
type Config struct {
	EventSourceARN string // of the stream
	FunctionARN    string
	RoleARN        string // what events call invokeIdentityArn

	BatchSize                  int           // records, 1 to 10,000; 0: 100
	MaximumBatchingWindow      time.Duration // 0 to 300 s, from the first record of a batch on
	MaximumRetryAttempts       int           // 0 to 10,000, or Endless
	MaximumRecordAge           time.Duration // 60 s to 7 days; 0: no limit
	BisectBatchOnFunctionError bool
	ReportBatchItemFailures    bool          // the one value of FunctionResponseTypes
	ParallelizationFactor      int           // batches of a shard at once, 1 to 10; 0: 1
	TumblingWindow             time.Duration // 0 to 900 s; 0: none
	FilterCriteria             []string      // patterns, of which a record has to match one; up to 5, none for all records

	// How long Lambda waits is not for its users to set. Tests may be in a hurry.
	FirstPause   time.Duration // before the first retry of a batch; 0: 100 ms. It doubles with each
	LastPause    time.Duration // which no pause is over; 0: 5 s
	PollInterval time.Duration // between reads of a shard that has nothing new; 0: 1 s
}

// The pauses, where nothing else is said. Lambda backs off as well, by figures that AWS does not publish; how often it reads, AWS says.
const (
	firstPause   = 100 * time.Millisecond
	lastPause    = 5 * time.Second
	pollInterval = time.Second
)

// complete is c with what AWS takes where nothing is said.
func (c Config) complete() Config {
	c.BatchSize = cmp.Or(c.BatchSize, limits.DefaultBatch)
	c.ParallelizationFactor = cmp.Or(c.ParallelizationFactor, 1)
	c.FirstPause = cmp.Or(c.FirstPause, firstPause)
	c.LastPause = cmp.Or(c.LastPause, lastPause)
	c.PollInterval = cmp.Or(c.PollInterval, pollInterval)
	return c
}

// pause is the time before the next retry, after so many.
func (c Config) pause(retries int) time.Duration {
	d := c.FirstPause
	for i := 0; i < retries && d < c.LastPause; i++ {
		d *= 2
	}
	return min(d, c.LastPause)
}

// Validate says which setting AWS would refuse.
func (c Config) Validate() error {
	switch {
	case c.BatchSize < 0 || c.BatchSize > limits.BatchRecords:
		return fmt.Errorf("batch size %d is not between 1 and %d records", c.BatchSize, limits.BatchRecords)
	case c.MaximumBatchingWindow < 0 || c.MaximumBatchingWindow > limits.BatchingWindow:
		return fmt.Errorf("batching window %v is not between 0 and %v", c.MaximumBatchingWindow, limits.BatchingWindow)
	case c.MaximumRetryAttempts < Endless || c.MaximumRetryAttempts > limits.RetryAttempts:
		return fmt.Errorf("%d retry attempts are not between -1 and %d", c.MaximumRetryAttempts, limits.RetryAttempts)
	case c.FirstPause < 0 || c.LastPause < 0 || c.PollInterval < 0:
		return errors.New("a pause is below 0")
	case c.MaximumRecordAge != 0 && (c.MaximumRecordAge < limits.LeastRecordAge || c.MaximumRecordAge > limits.RecordAge):
		return fmt.Errorf("record age %v is not between %v and %v", c.MaximumRecordAge, limits.LeastRecordAge, limits.RecordAge)
	case c.ParallelizationFactor < 0 || c.ParallelizationFactor > limits.Parallelization:
		return fmt.Errorf("parallelization factor %d is not between 1 and %d", c.ParallelizationFactor, limits.Parallelization)
	case c.TumblingWindow < 0 || c.TumblingWindow > limits.TumblingWindow || c.TumblingWindow%time.Second != 0:
		return fmt.Errorf("tumbling window %v is not of seconds between 0 and %v", c.TumblingWindow, limits.TumblingWindow)
	case c.TumblingWindow > 0 && c.ParallelizationFactor > 1:
		return errors.New("a tumbling window's state is a shard's: there is no parallelization factor with it here")
	case len(c.FilterCriteria) > limits.Filters:
		return fmt.Errorf("%d filters are more than %d", len(c.FilterCriteria), limits.Filters)
	}
	for _, pattern := range c.FilterCriteria {
		if _, err := parseFilter(pattern); err != nil {
			return fmt.Errorf("filter %s: %w", pattern, err)
		}
	}
	return nil
}

func (c Config) origin() lambdatest.Origin {
	return lambdatest.Origin{StreamARN: c.EventSourceARN, RoleARN: c.RoleARN}
}
