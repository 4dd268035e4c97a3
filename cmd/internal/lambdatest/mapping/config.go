package mapping

import (
	"fmt"
	"time"

	"skiff/cmd/internal/lambdatest"
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
	case c.BatchSize < 0 || c.BatchSize > lambdatest.MaxBatch:
		return fmt.Errorf("batch size %d is not between 1 and %d records", c.BatchSize, lambdatest.MaxBatch)
	case c.MaximumBatchingWindow < 0 || c.MaximumBatchingWindow > lambdatest.MaxWindow:
		return fmt.Errorf("batching window %v is not between 0 and %v", c.MaximumBatchingWindow, lambdatest.MaxWindow)
	case c.MaximumRetryAttempts < Endless || c.MaximumRetryAttempts > lambdatest.MaxRetries:
		return fmt.Errorf("%d retry attempts are not between -1 and %d", c.MaximumRetryAttempts, lambdatest.MaxRetries)
	case c.MaximumRecordAge != 0 && (c.MaximumRecordAge < lambdatest.MinRecordAge || c.MaximumRecordAge > lambdatest.MaxRecordAge):
		return fmt.Errorf("record age %v is not between %v and %v", c.MaximumRecordAge, lambdatest.MinRecordAge, lambdatest.MaxRecordAge)
	}
	return nil
}

func (c Config) origin() lambdatest.Origin {
	return lambdatest.Origin{StreamARN: c.EventSourceARN, RoleARN: c.RoleARN}
}
