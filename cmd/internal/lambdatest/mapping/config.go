package mapping

import (
	"fmt"
	"time"
)

// Limits of CreateEventSourceMapping for a Kinesis stream.
const (
	defaultBatch = 100
	maxBatch     = 10_000
	maxWindow    = 300 * time.Second
	maxRetries   = 10_000
	minRecordAge = 60 * time.Second
	maxRecordAge = 604_800 * time.Second // 7 days
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
	ReportBatchItemFailures    bool // the one value of FunctionResponseTypes
}

// Validate says which setting AWS would refuse.
func (c Config) Validate() error {
	switch {
	case c.BatchSize < 0 || c.BatchSize > maxBatch:
		return fmt.Errorf("batch size %d is not between 1 and %d records", c.BatchSize, maxBatch)
	case c.MaximumBatchingWindow < 0 || c.MaximumBatchingWindow > maxWindow:
		return fmt.Errorf("batching window %v is not between 0 and %v", c.MaximumBatchingWindow, maxWindow)
	case c.MaximumRetryAttempts < Endless || c.MaximumRetryAttempts > maxRetries:
		return fmt.Errorf("%d retry attempts are not between -1 and %d", c.MaximumRetryAttempts, maxRetries)
	case c.MaximumRecordAge != 0 && (c.MaximumRecordAge < minRecordAge || c.MaximumRecordAge > maxRecordAge):
		return fmt.Errorf("record age %v is not between %v and %v", c.MaximumRecordAge, minRecordAge, maxRecordAge)
	}
	return nil
}
