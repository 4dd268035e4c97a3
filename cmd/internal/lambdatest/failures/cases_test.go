package failures

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/skiff-ml/skiff/cmd/internal/lambdatest/mapping"
	"github.com/skiff-ml/skiff/inference"
)

// deployed is the mapping as deploy/template.yaml has it where there is a dead-letter target: retries are bounded by age.
func deployed() mapping.Config {
	return mapping.Config{BatchSize: 1000, MaximumRetryAttempts: mapping.Endless, MaximumRecordAge: 6 * time.Hour, BisectBatchOnFunctionError: true}
}

// An outage is a sink that takes nothing for a while.
type outage struct {
	name      string
	err       error
	ofLetters bool // of the dead-letter target; otherwise of the predictions stream
	lasts     time.Duration
	failed    [2]int // invocations, between
}

func outages() []outage {
	throttled := errors.New("1000 of 1000 were not taken: ProvisionedThroughputExceededException")
	expired := fmt.Errorf("ExpiredTokenException: the token has expired (%w)", inference.ErrPermanent)
	return []outage{
		{"a minute of expired credentials", expired, false, time.Minute, [2]int{10, 60}},
		{"ten minutes of throttling", throttled, false, 10 * time.Minute, [2]int{30, 60}},
		{"a minute without the dead-letter target", throttled, true, time.Minute, [2]int{3, 20}},
		{"a minute of expired credentials for it", expired, true, time.Minute, [2]int{10, 100}},
	}
}

// amplified is how many records the amplification is measured on, in batches of 1,000.
const amplified = 2000

// An amplification is what bad records cost the good ones where there is no dead-letter target.
type amplification struct {
	name       string
	badIn100k  int
	bisect     bool
	unreported bool // the mapping does not read batchItemFailures: the invocation fails

	invocations [2]int // between
	copies      [2]float64
	givenUp     [2]int // good records
}

func amplifications() []amplification {
	return []amplification{
		{"0.1 % bad", 100, true, false, [2]int{46, 46}, [2]float64{2.4, 2.6}, [2]int{0, 0}},
		{"1 % bad", 1000, true, false, [2]int{354, 354}, [2]float64{6.6, 6.8}, [2]int{0, 0}},
		{"1 % bad, no bisecting", 1000, false, false, [2]int{12, 12}, [2]float64{5.7, 5.8}, [2]int{1880, 1880}},
		{"0.1 % bad, not reported", 100, true, true, [2]int{48, 48}, [2]float64{2.9, 3.1}, [2]int{0, 0}},
		{"1 % bad, not reported", 1000, true, true, [2]int{394, 394}, [2]float64{6.1, 6.3}, [2]int{0, 0}},
	}
}

// config is the mapping's: five retries.
func (a amplification) config() mapping.Config {
	return mapping.Config{BatchSize: 1000, MaximumRetryAttempts: 5, BisectBatchOnFunctionError: a.bisect}
}

func (a amplification) check(t *testing.T, invocations int, good spread) {
	t.Helper()
	if invocations < a.invocations[0] || invocations > a.invocations[1] {
		t.Errorf("%d invocations, expected are %v", invocations, a.invocations)
	}
	if !(good.copies >= a.copies[0] && good.copies <= a.copies[1]) {
		t.Errorf("%.2f copies of a good record, expected are %v", good.copies, a.copies)
	}
	if good.givenUp < a.givenUp[0] || good.givenUp > a.givenUp[1] || good.lost > 0 {
		t.Errorf("%d good records were given up, expected are %v; %d lost", good.givenUp, a.givenUp, good.lost)
	}
}
