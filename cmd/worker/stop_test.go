package main

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// What is under way goes on, what comes later is handed back, and the worker
// ends once all have their answers.
func TestGate(t *testing.T) {
	type call struct {
		at       time.Duration // after the signal
		handling time.Duration // by the handler
		posting  time.Duration // of the answer
		most     time.Duration // its own time
	}
	for name, test := range map[string]struct {
		calls []call
		ends  time.Duration // after the signal
		want  string
	}{
		"idle": {
			nil, quietTime,
			"stopping why=terminated under_way=0\nstopped finished=0 out_of_time=0 handed_back=0\n",
		},
		"under way": {
			[]call{{-time.Second, 3 * time.Second, time.Second, time.Minute}},
			3*time.Second + quietTime,
			"stopping why=terminated under_way=1\nstopped finished=1 out_of_time=0 handed_back=0\n",
		},
		"over before": {
			[]call{{-3 * time.Second, time.Second, time.Second, time.Minute}},
			quietTime,
			"stopping why=terminated under_way=0\nstopped finished=0 out_of_time=0 handed_back=0\n",
		},
		"out of time": {
			[]call{{-time.Second, time.Hour, 0, 5 * time.Second}},
			4*time.Second + quietTime,
			"stopping why=terminated under_way=1\nstopped finished=0 out_of_time=1 handed_back=0\n",
		},
		"more than one": { // Lambda's managed instances
			[]call{{-time.Second, 3 * time.Second, 0, time.Minute}, {-time.Second, 5 * time.Second, 0, time.Minute}},
			4*time.Second + quietTime,
			"stopping why=terminated under_way=2\nstopped finished=2 out_of_time=0 handed_back=0\n",
		},
		"one comes meanwhile": {
			[]call{{-time.Second, 3 * time.Second, 0, time.Minute}, {time.Second, 0, 0, time.Minute}},
			2*time.Second + quietTime,
			"stopping why=terminated under_way=1\nstopped finished=1 out_of_time=0 handed_back=1\n",
		},
		"one comes at the end": {
			[]call{{quietTime - 1, 0, 50 * time.Millisecond, time.Minute}},
			quietTime - 1 + 50*time.Millisecond + quietTime,
			"stopping why=terminated under_way=0\nstopped finished=0 out_of_time=0 handed_back=1\n",
		},
		"one is told slowly": {
			[]call{{10 * time.Millisecond, 0, 150 * time.Millisecond, time.Minute}},
			160*time.Millisecond + quietTime,
			"stopping why=terminated under_way=0\nstopped finished=0 out_of_time=0 handed_back=1\n",
		},
		"they do not end": {
			[]call{{50 * time.Millisecond, 0, 0, time.Minute}, {120 * time.Millisecond, 0, 0, time.Minute}, {210 * time.Millisecond, 0, time.Minute, time.Minute}},
			straggleTime,
			"stopping why=terminated under_way=0\nstopped finished=0 out_of_time=0 handed_back=3\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log strings.Builder
				logger := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
					if a.Key == slog.TimeKey || a.Key == slog.LevelKey {
						return slog.Attr{}
					}
					return a
				}}))
				const lead = time.Hour
				g := newGate(handlerFunc(func(event []byte) ([]byte, error) {
					handling, err := time.ParseDuration(string(event))
					time.Sleep(handling) //nolint:forbidigo // in a bubble
					return nil, err
				}))
				var calls sync.WaitGroup
				defer calls.Wait()
				for _, c := range test.calls {
					calls.Go(func() {
						time.Sleep(lead + c.at) //nolint:forbidigo // in a bubble
						ctx, cancel := context.WithTimeout(t.Context(), c.most)
						defer cancel()
						_, err := g.Invoke(ctx, []byte(c.handling.String()))
						if errors.Is(err, errStopping) != (c.at > 0) {
							t.Errorf("at %v: %v", c.at, err)
						}
						time.Sleep(c.posting) //nolint:forbidigo // in a bubble
					})
				}
				time.Sleep(lead) //nolint:forbidigo // in a bubble
				ctx, stop := context.WithCancelCause(t.Context())
				stop(errors.New("terminated"))
				signalled := time.Now()
				g.stop(ctx, logger)
				if took := time.Since(signalled); took != test.ends {
					t.Errorf("it ended after %v, not %v", took, test.ends)
				}
				if got := strings.ReplaceAll(log.String(), "msg=", ""); got != test.want {
					t.Errorf("logged\n%swant\n%s", got, test.want)
				}
			})
		})
	}
}

// An invocation that has its answer when the signal comes is not under way: the
// runtime client has ended its context, whether or not anybody was told of that.
func TestGateLeavesOutWhatIsOver(t *testing.T) {
	for range 100 {
		var log strings.Builder
		g := newGate(handlerFunc(func(event []byte) ([]byte, error) { return event, nil }))
		invocation, answered := context.WithCancel(t.Context())
		if _, err := g.Invoke(invocation, nil); err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancelCause(t.Context())
		stop(errors.New("terminated"))
		logger := slog.New(slog.NewTextHandler(&log, nil))
		answered()
		g.close(ctx, logger)
		g.drain()
		g.report(ctx, logger)
		if got := log.String(); !strings.Contains(got, "under_way=0") || !strings.Contains(got, "finished=0") {
			t.Fatalf("logged\n%s", got)
		}
	}
}
