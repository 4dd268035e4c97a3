//go:build integration

package failures

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/skiff-ml/skiff/cmd/internal/lambdatest"
	"github.com/skiff-ml/skiff/cmd/internal/lambdatest/faults"
	"github.com/skiff-ml/skiff/cmd/internal/lambdatest/mapping"
)

// An item that can never succeed goes to the dead-letter target: there is no retry and no waiting, and the batch goes on.
func TestDeadLettered(t *testing.T) {
	const rides, badIn100k = 2000, 1000
	config := deployed()
	config.FirstPause = time.Hour // nobody waits
	p := newPath(t, options{mapping: config, deadLetters: true, reported: true})
	p.produce(rides, badIn100k)
	p.run()
	good, letters := p.outcome(badIn100k)
	if p.progress.Invocations != 2 || p.progress.Discarded != 0 || p.failed != 0 {
		t.Errorf("%+v, %d failed", p.progress, p.failed)
	}
	if good.lost > 0 || good.most != 1 {
		t.Errorf("good rides: %+v", good)
	}
	once := true
	for _, n := range letters {
		once = once && n == 1
	}
	if len(letters) != rides*badIn100k/100_000 || !once {
		t.Errorf("dead letters %v", letters)
	}
}

// Without a target the mapping narrows a bad record down, and good ones are published again meanwhile. Without one who reads reports, an
// invocation fails rather than lose.
func TestAmplificationOfTheWorker(t *testing.T) {
	for _, tt := range amplifications() {
		t.Run(tt.name, func(t *testing.T) {
			p := newPath(t, options{mapping: tt.config(), reported: !tt.unreported})
			p.produce(amplified, tt.badIn100k)
			begin := time.Now()
			p.run()
			good, _ := p.outcome(tt.badIn100k)
			t.Logf("%d invocations for %d records, %.2f copies of a good record and at most %d, given up %d; %.1f s",
				p.progress.Invocations, amplified, good.copies, good.most, good.givenUp, time.Since(begin).Seconds())
			tt.check(t, p.progress.Invocations, good)
			if bad := amplified * tt.badIn100k / 100_000; p.progress.Discarded != bad+good.givenUp {
				t.Errorf("%d were given up, of %d bad ones", p.progress.Discarded, bad)
			}
			for _, d := range p.discarded {
				if why := "1 of "; tt.unreported && !strings.Contains(d.Why, why) {
					t.Errorf("given up, for %q", d.Why)
				}
			}
		})
	}
}

// What the stream does not take is put again, with what time there is, and then reported; nothing is lost.
func TestStreamThatFails(t *testing.T) {
	third := func(i int, _ string) bool { return i%3 == 0 }
	for _, tt := range []struct {
		name    string
		script  faults.Script
		timeout time.Duration
		once    bool // no prediction is published again
		fails   bool // an invocation
	}{
		{"throttled", faults.First(6, faults.Throttle()), 0, true, false},
		{"partly failed", faults.First(6, faults.Partly(third)), 0, true, false},
		{"its own failure", faults.First(6, faults.InternalError()), 0, true, false},
		{"reset", faults.First(6, faults.Reset(false)), 0, true, false},
		{"reset, and taken", faults.First(2, faults.Reset(true)), 0, false, false},
		{"too slow, and taken", faults.First(2, faults.Slow(time.Minute)), 1200 * time.Millisecond, false, true},
		{"throttled for longer than there is time", faults.First(30, faults.Throttle()), 800 * time.Millisecond, false, true},
		{"partly failed for longer than there is time", faults.First(30, faults.Partly(func(i int, _ string) bool { return i > 3 })), 800 * time.Millisecond, false, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			const rides = 1000
			p := newPath(t, options{mapping: deployed(), deadLetters: true, reported: true, timeout: tt.timeout})
			p.proxy.Set("PutRecords", tt.script)
			p.produce(rides, 0)
			p.run()
			good, _ := p.outcome(0)
			if good.lost > 0 || p.progress.Discarded > 0 || tt.once && good.most != 1 {
				t.Errorf("good rides: %+v", good)
			}
			if (p.failed > 0) != tt.fails {
				t.Errorf("%d of %d invocations failed", p.failed, p.progress.Invocations)
			}
		})
	}
}

// When time is up, what is unsent is reported, from the lowest on, and nothing that was sent.
func TestUnsentIsReported(t *testing.T) {
	t.Parallel()
	p := newPath(t, options{mapping: deployed(), reported: true, timeout: 2 * time.Second})
	p.proxy.Set("PutRecords", faults.Always(faults.Partly(func(_ int, key string) bool { return strings.HasSuffix(key, "7") })))
	var data [][]byte
	for i := range 100 {
		data = append(data, ride(i))
	}
	event, err := lambdatest.EventOf(data, 0)
	if err != nil {
		t.Fatal(err)
	}
	result, err := p.function.Invoke(t.Context(), event)
	if err != nil || result.FunctionError != "" {
		t.Fatal(result.FunctionError, string(result.Payload), err)
	}
	reported := failures(result.Payload)
	published := p.published()
	for i := range 100 {
		sequence := fmt.Sprintf("49641801370286448471783931287578672283018518126072%06d", i)
		if slices.Contains(reported, sequence) == (published[fmt.Sprint(i)] == 1) {
			t.Errorf("ride %d: published %d times, reported are %v", i, published[fmt.Sprint(i)], reported)
		}
	}
	if !slices.IsSorted(reported) || len(reported) == 0 {
		t.Errorf("reported are %v", reported)
	}
	if !strings.Contains(p.logged(), " were not taken: ProvisionedThroughputExceededException") {
		t.Error("the log has nothing of what the service says")
	}
}

// An outage as long as in life, by the number of invocations that it fails: nothing healthy is given up, all is published in the end, and what can
// never succeed is dead-lettered.
func TestOutagesOfTheWorker(t *testing.T) {
	for _, tt := range []struct {
		name      string
		operation string
		fault     faults.Fault
		failed    int // invocations, as in TestOutages
	}{
		{"a minute of expired credentials", "PutRecords", faults.Expired(), 21},
		{"ten minutes of throttling", "PutRecords", faults.Throttle(), 33},
		{"a minute without permission", "PutRecords", faults.Denied(), 21},
		{"a minute without the dead-letter target", "PutObject", faults.SlowDown(), 4},
		{"a minute of expired credentials for it", "PutObject", faults.Expired(), 21},
		{"a minute of resets by it", "PutObject", faults.Reset(false), 4},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			const rides, badIn100k = 1000, 1000
			p := newPath(t, options{mapping: deployed(), deadLetters: true, reported: true, timeout: 800 * time.Millisecond})
			p.proxy.Set(tt.operation, faults.While(func() bool { return p.failedInvocations() < tt.failed }, tt.fault))
			p.produce(rides, badIn100k)
			p.run()
			good, letters := p.outcome(badIn100k)
			t.Logf("%d of %d invocations failed, %.2f copies of a good record and at most %d", p.failed, p.progress.Invocations, good.copies, good.most)
			if good.lost > 0 || p.progress.Discarded > 0 || len(letters) != rides*badIn100k/100_000 {
				t.Errorf("good rides: %+v; %d given up, %d dead letters", good, p.progress.Discarded, len(letters))
			}
			if p.failed < tt.failed {
				t.Errorf("%d invocations failed, and the outage is of %d", p.failed, tt.failed)
			}
		})
	}
}

var _ mapping.Invoker = (*path)(nil)
