package page

import (
	"slices"
	"time"

	"github.com/skiff-ml/skiff/inference"
	"github.com/skiff-ml/skiff/inference/observe"
)

const (
	seconds = 60   // of a window
	maxRuns = 1024 // invocations whose times are kept: of more in a minute, the last
)

// A second is what came in one.
type second struct {
	at          int64 // since 1970; another one's place is free
	Records     int   `json:"records"`
	Predictions int   `json:"predictions"`
	Rejected    int   `json:"rejected"`
	Failed      int   `json:"failed"`
	Invocations int   `json:"invocations"`
}

// A window is the last minute.
type window struct {
	seconds [seconds]second
	runs    [maxRuns]invocation
	next    int // where the next one of runs goes
}

// An invocation is when one was, and how long its stages took.
type invocation struct {
	at     time.Time
	stages inference.Timing
}

func (i *invocation) took() time.Duration {
	s := &i.stages
	return s.Decode + s.Encode + s.Score + s.Respond + s.Publish
}

// in returns the second of a time; of one that is over long since, one that
// nobody sees.
func (w *window) in(at time.Time) *second {
	now := max(at.Unix(), 0)
	s := &w.seconds[now%seconds]
	if s.at > now {
		return &second{}
	}
	if s.at < now {
		*s = second{at: now}
	}
	return s
}

func (w *window) add(m *observe.Measurement, now time.Time) {
	s := w.in(now)
	s.Invocations++
	s.Records += m.Records
	s.Predictions += m.Predictions
	s.Rejected += m.Rejected
	if m.Failed {
		s.Failed++
	}
	w.runs[w.next] = invocation{now, m.Timing}
	w.next = (w.next + 1) % maxRuns
}

func (w *window) fail(at time.Time) { w.in(at).Failed++ }

// A minute is a window as it is shown: its seconds, the oldest first, their
// sums, and the times of its invocations in milliseconds.
type minute struct {
	Seconds []second    `json:"seconds"`
	Sum     second      `json:"sum"`
	P50     float64     `json:"p50_ms"`
	P99     float64     `json:"p99_ms"`
	Stages  []stageTime `json:"stages"`
}

// A stageTime is what the invocations of a minute spent in a stage, in
// milliseconds.
type stageTime struct {
	Name string  `json:"name"`
	MS   float64 `json:"ms"`
}

// minute returns the minute that ends now.
func (w *window) minute(now time.Time) minute {
	m := minute{Seconds: make([]second, seconds)}
	for i := range m.Seconds {
		at := now.Unix() - seconds + 1 + int64(i)
		if s := w.seconds[at%seconds]; s.at == at {
			m.Seconds[i] = s
			m.Sum.Records += s.Records
			m.Sum.Predictions += s.Predictions
			m.Sum.Rejected += s.Rejected
			m.Sum.Failed += s.Failed
			m.Sum.Invocations += s.Invocations
		}
	}
	var times []time.Duration
	var all inference.Timing
	for i := range w.runs {
		run := &w.runs[i]
		if run.at.IsZero() || now.Sub(run.at) >= time.Minute {
			continue
		}
		times = append(times, run.took())
		all.Decode += run.stages.Decode
		all.Encode += run.stages.Encode
		all.Score += run.stages.Score
		all.Respond += run.stages.Respond
		all.Publish += run.stages.Publish
	}
	slices.Sort(times)
	m.P50, m.P99 = quantile(times, 50), quantile(times, 99)
	for _, s := range []struct {
		name string
		took time.Duration
	}{{"decode", all.Decode}, {"encode", all.Encode}, {"score", all.Score}, {"respond", all.Respond}, {"publish", all.Publish}} {
		m.Stages = append(m.Stages, stageTime{s.name, ms(s.took)})
	}
	return m
}

// quantile returns the smallest of sorted times that so many of a hundred are
// not above, in milliseconds; 0 of none.
func quantile(sorted []time.Duration, percent int) float64 {
	if len(sorted) == 0 {
		return 0
	}
	return ms(sorted[(len(sorted)*percent+99)/100-1])
}

func ms(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e6 }
