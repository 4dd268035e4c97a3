package mapping

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestBatches(t *testing.T) {
	big := strings.Repeat("x", 1<<20) // 1.33 MiB in base64: four fit into 6 MB
	for _, tt := range []struct {
		name   string
		size   int
		window time.Duration
		add    func(s *fakeStream)
		want   []string // records of an invocation, and when
	}{
		{
			name: "without a window, what there is", size: 100,
			add: func(s *fakeStream) {
				s.add("shard", "a", "b")
				<-time.After(1500 * time.Millisecond)
				s.add("shard", "c")
			},
			want: []string{"2 at 0s", "1 at 2s"},
		},
		{
			name: "no more than the batch size", size: 2,
			add:  func(s *fakeStream) { s.add("shard", "a", "b", "c", "d", "e") },
			want: []string{"2 at 0s", "2 at 0s", "1 at 0s"},
		},
		{
			name: "the window starts with the first record", size: 100, window: 5 * time.Second,
			add: func(s *fakeStream) {
				<-time.After(2500 * time.Millisecond)
				s.add("shard", "a")
				<-time.After(3 * time.Second)
				s.add("shard", "b")
			},
			want: []string{"2 at 8s"},
		},
		{
			name: "a full batch does not wait for its window", size: 2, window: 5 * time.Second,
			add: func(s *fakeStream) {
				s.add("shard", "a")
				<-time.After(1500 * time.Millisecond)
				s.add("shard", "b", "c")
			},
			want: []string{"2 at 2s", "1 at 7s"},
		},
		{
			name: "no more than 6 MB", size: 100, window: 5 * time.Second,
			add:  func(s *fakeStream) { s.padding = big; s.add("shard", "a", "b", "c", "d", "e", "f") },
			want: []string{"4 at 0s", "2 at 5s"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				var counts []int
				tr := &trial{stream: newFakeStream(), config: Config{BatchSize: tt.size, MaximumBatchingWindow: tt.window}}
				tr.function = func(ids []string) Result { counts = append(counts, len(ids)); return Result{} }
				tr.stream.add("shard")
				go tt.add(tr.stream)
				synctest.Wait()
				if err := tr.run(t, ctx); !errors.Is(err, context.DeadlineExceeded) {
					t.Fatal(err)
				}
				var got []string
				for i, n := range counts {
					got = append(got, fmt.Sprintf("%d at %v", n, tr.at[i]))
				}
				if !slices.Equal(got, tt.want) {
					t.Errorf("invoked with %q, want %q", got, tt.want)
				}
			})
		})
	}
}

func TestTooLargeForAnEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := &trial{stream: newFakeStream(), function: ok}
		tr.stream.add("shard", "a")
		tr.stream.padding = strings.Repeat("x", 5<<20)
		tr.stream.add("shard", "b")
		tr.stream.padding = ""
		tr.stream.add("shard", "c")
		tr.stream.end("shard")
		if err := tr.run(t, t.Context()); err != nil {
			t.Fatal(err)
		}
		if len(tr.discarded) != 1 || strings.Join(tr.invoked, " ") != "a c" {
			t.Errorf("invoked %d times, discarded %d times", len(tr.invoked), len(tr.discarded))
		}
	})
}

func TestIdleShardIsReadOnceASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second+time.Millisecond)
		defer cancel()
		tr := &trial{stream: newFakeStream(), function: ok}
		tr.stream.add("shard")
		if err := tr.run(t, ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
		if tr.stream.reads != 11 {
			t.Errorf("%d reads in 10 s, want 11", tr.stream.reads)
		}
	})
}

func TestChildrenFollowTheirParents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := &trial{stream: newFakeStream(), config: Config{BatchSize: 1}}
		s := tr.stream
		s.add("0", "a", "b")
		s.add("1", "c")
		s.parents["1"] = []string{"gone"} // a parent that the stream no longer knows
		resharded := false
		tr.function = func(ids []string) Result {
			if ids[0] == "b" && !resharded { // 0 splits into 2 and 3, and 3 merges with 1 to 4
				resharded = true
				s.add("4", "f")
				s.add("2", "d")
				s.add("3", "e")
				s.mu.Lock()
				s.parents["2"], s.parents["3"], s.parents["4"] = []string{"0"}, []string{"0"}, []string{"3", "1"}
				s.mu.Unlock()
				s.end("0", "1", "2", "3", "4")
				<-time.After(time.Minute)
			}
			return Result{}
		}
		if err := tr.run(t, t.Context()); err != nil {
			t.Fatal(err)
		}
		at := func(id string) int { return slices.Index(tr.invoked, id) }
		if len(tr.invoked) != 6 || at("a") > at("b") || at("b") > at("d") || at("b") > at("e") || at("e") > at("f") || at("c") > at("f") {
			t.Errorf("invoked with %q", tr.invoked)
		}
	})
}

func TestRunEndsOnErrors(t *testing.T) {
	broken := errors.New("broken")
	base := func() Parts {
		s := newFakeStream()
		s.add("0")
		s.add("1", "a")
		return Parts{
			Shards: s, Records: s, Log: slog.New(slog.DiscardHandler),
			Function:  invokerFunc(func(context.Context, []string) (Result, error) { return Result{FunctionError: "Unhandled"}, nil }),
			OnFailure: destinationFunc(func(Discarded) error { return nil }),
		}
	}
	for name, change := range map[string]func(*Parts){
		"a shard that has vanished": func(p *Parts) {
			p.Records.(*fakeStream).read = func(shard string) error {
				if shard == "1" {
					return broken
				}
				return nil
			}
		},
		"a function that cannot be invoked": func(p *Parts) {
			p.Function = invokerFunc(func(context.Context, []string) (Result, error) { return Result{}, broken })
		},
		"a destination that refuses": func(p *Parts) { p.OnFailure = destinationFunc(func(Discarded) error { return broken }) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				parts := base()
				change(&parts)
				m, err := New(Config{}, parts)
				if err != nil {
					t.Fatal(err)
				}
				begin := time.Now()
				if err := m.Run(t.Context()); !errors.Is(err, broken) {
					t.Errorf("error %v", err)
				}
				if d := time.Since(begin); d != 0 {
					t.Errorf("it took %v", d)
				}
			})
		})
	}
}

func TestValidate(t *testing.T) {
	for _, tt := range []struct {
		config Config
		ok     bool
	}{
		{Config{}, true},
		{Config{BatchSize: 10_000, MaximumBatchingWindow: 300 * time.Second, MaximumRetryAttempts: 10_000, MaximumRecordAge: 7 * 24 * time.Hour}, true},
		{Config{MaximumRetryAttempts: Endless}, true},
		{Config{BatchSize: 10_001}, false},
		{Config{BatchSize: -1}, false},
		{Config{MaximumBatchingWindow: 301 * time.Second}, false},
		{Config{MaximumRetryAttempts: -2}, false},
		{Config{MaximumRetryAttempts: 10_001}, false},
		{Config{FirstPause: -1}, false},
		{Config{MaximumRecordAge: 59 * time.Second}, false},
		{Config{MaximumRecordAge: 7*24*time.Hour + 1}, false},
		{Config{ParallelizationFactor: 10}, true},
		{Config{ParallelizationFactor: 11}, false},
		{Config{ParallelizationFactor: -1}, false},
		{Config{TumblingWindow: 900 * time.Second}, true},
		{Config{TumblingWindow: 901 * time.Second}, false},
		{Config{TumblingWindow: time.Millisecond}, false},
		{Config{TumblingWindow: time.Second, ParallelizationFactor: 2}, false},
	} {
		if err := tt.config.Validate(); (err == nil) != tt.ok {
			t.Errorf("%+v: %v", tt.config, err)
		}
	}
}
