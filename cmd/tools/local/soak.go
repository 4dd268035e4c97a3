package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path"
	"sync"
	"sync/atomic"
	"time"

	"github.com/skiff-ml/skiff/cmd/internal/lambdatest/kinesalite"
	"github.com/skiff-ml/skiff/cmd/internal/lambdatest/mapping"
	"github.com/skiff-ml/skiff/cmd/internal/localstate"
	"github.com/skiff-ml/skiff/cmd/tools/internal/taxi"
	"github.com/skiff-ml/skiff/inference"
	"github.com/skiff-ml/skiff/inference/hint"
)

const (
	stuckAfter     = time.Minute // without any record answered for
	soakFirstPause = 5 * time.Millisecond
	soakLastPause  = 200 * time.Millisecond
	soakPoll       = 100 * time.Millisecond
	checkStuck     = time.Second
)

// A soaked is a soak: what goes in, what it goes through, and what came of it.
type soaked struct {
	settings   settings
	references map[string][]float64 // by run, minutes; those of ride i are at i modulo their number
	runs       []string             // the first, and the one it is swapped for
	records    [][]byte
	bad        map[int]badRide

	fire     *fire
	workers  *workers
	source   *kinesalite.Server
	reshards *resharding
	progress mapping.Progress
	givenUp  *onFailure
	elapsed  time.Duration
	stopped  error // why it ended before all records were answered for
}

// soak is the soak command: records through the worker under fire, and what became of each.
func soak(ctx context.Context, s settings, stdout, stderr io.Writer) error {
	begin := time.Now()
	bar := newProgress(stderr)
	a, err := runSoak(ctx, s, bar)
	bar.close()
	if err != nil {
		return err
	}
	a.Seconds = round(time.Since(begin).Seconds(), 1)
	if err := a.print(stdout); err != nil {
		return fmt.Errorf("printing the result: %w", err)
	}
	if err := a.verdict(); err != nil {
		return hint.With(fmt.Errorf("seed %d: %w", s.seed, err), fmt.Sprintf("the same faults again: make soak SEED=%d RECORDS=%d; logs: %s", s.seed, s.n, shown(s.dir)))
	}
	return nil
}

func runSoak(ctx context.Context, s settings, bar *progress) (*account, error) {
	k, err := readSoak(s)
	if err != nil {
		return nil, err
	}
	bar.step(func() string { return "starting ministack" })
	st, err := newStack(ctx, s, s.dir, "")
	if err != nil {
		return nil, err
	}
	defer st.close()
	swapped := s
	swapped.runID = s.other
	if err := st.ministack.Upload(ctx, localstate.ModelBucket, bundlePrefix(swapped), path.Join(path.Dir(s.model), s.other)); err != nil {
		return nil, err
	}
	bar.finish("seed        %d; %d records, %d of them bad; run %s, then %s", s.seed, len(k.records), len(k.bad), s.runID, s.other)
	if err := k.startSource(ctx, st); err != nil {
		return nil, err
	}
	if k.givenUp, err = st.newOnFailure(false); err != nil {
		return nil, err
	}
	if err := k.burn(ctx, st, bar); err != nil {
		return nil, err
	}
	bar.step(func() string { return "counting what became of each record" })
	return k.account(ctx, st)
}

// readSoak reads all that a soak needs from files.
func readSoak(s settings) (*soaked, error) {
	k := &soaked{settings: s, references: map[string][]float64{}, runs: []string{s.runID, s.other}}
	const all = 1 << 30
	limit := 0.0
	for i, run := range k.runs {
		m, err := readManifest(path.Join(path.Dir(s.model), run))
		if err != nil {
			return nil, err
		}
		if i == 0 || m.limit == 0 {
			limit = m.limit // a number that one of them takes is not bad
		}
		if k.references[run], err = taxi.ReadPredictions(s.predictions, run, all); err != nil {
			return nil, err
		}
		if len(k.references[run]) == 0 {
			return nil, hint.With(fmt.Errorf("%s has no predictions of run %s", shown(s.predictions), run), "the runs of models/taxi/runs.json have some")
		}
	}
	distinct := min(s.n, len(k.references[s.runID]), len(k.references[s.other]))
	rides, err := taxi.ReadRides(s.rides, distinct)
	if err != nil {
		return nil, err
	}
	k.records = make([][]byte, s.n)
	for id := range k.records {
		if k.records[id], err = rides[id%distinct].Record(id); err != nil {
			return nil, err
		}
	}
	for run := range k.references {
		k.references[run] = k.references[run][:distinct]
	}
	every := append(ways(limit), way{name: "not base64", reason: inference.NotBase64, spoil: func(string) []byte { return []byte(notBase64Record) }})
	random(s.seed, "bad").Shuffle(len(every), func(i, j int) { every[i], every[j] = every[j], every[i] })
	k.bad = makeBad(k.records, s.bad, every)
	return k, nil
}

// burn puts the records on the stream and has the mapping deliver them, through the fire, until each is answered for.
func (k *soaked) burn(ctx context.Context, st *stack, bar *progress) error {
	s := k.settings
	k.fire = newFire(s.seed, faultEvery(s.n), 2*s.timeout)
	endpoint, closeProxy, err := k.fire.listen(ctx, st.ministack.Endpoint)
	if err != nil {
		return err
	}
	closeProxy = sync.OnceFunc(closeProxy)
	defer closeProxy()
	if k.workers, err = st.newWorkers(s.shards, k.fire, s.seed, endpoint); err != nil {
		return err
	}
	errAll := errors.New("every record is answered for")
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var put, passed atomic.Int64
	reshards := &resharding{server: k.source, records: len(k.records), passed: &passed, rng: random(s.seed, "reshard")}
	k.reshards = reshards
	k.stopAfter(ctx, cancel, &passed)
	begin := time.Now()
	m, err := st.newMapping(k.workers, k.givenUp, func(p mapping.Progress) {
		k.progress = p
		passed.Store(int64(p.Delivered + p.Discarded))
		if int(passed.Load()) >= len(k.records)/2 {
			k.workers.run.Store(&k.runs[1])
		}
		if int(passed.Load()) == len(k.records) {
			cancel(errAll)
		}
	})
	if err != nil {
		return err
	}
	bar.step(func() string {
		return fmt.Sprintf("scored      %d of %d, %.0f records/s; %d put", passed.Load(), len(k.records), float64(passed.Load())/time.Since(begin).Seconds(), put.Load())
	})
	var producing sync.WaitGroup
	producing.Go(func() {
		if err := produce(ctx, st.rides, k.records, &put, reshards.pace); err != nil && ctx.Err() == nil {
			cancel(err)
		}
	})
	err = m.Run(ctx)
	producing.Wait()
	closeProxy() // calls that nobody waits for are through as well
	k.elapsed = time.Since(begin)
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, errAll):
		bar.finish("scored      %d in %.1f s, %d kills", len(k.records), k.elapsed.Seconds(), k.workers.kills)
		return nil
	case errors.Is(cause, errStuck) || errors.Is(cause, errLateSoak):
		k.stopped = cause
		return nil
	case cause != nil:
		return cause
	default:
		return st.problem(err, "worker-1.log")
	}
}

var (
	errStuck    = fmt.Errorf("no record was answered for in %v", stuckAfter)
	errLateSoak = errors.New("the soak took longer than its deadline")
)

// stopAfter ends a soak that is stuck, or past its deadline.
func (k *soaked) stopAfter(ctx context.Context, cancel context.CancelCauseFunc, passed *atomic.Int64) {
	go func() {
		tick := time.NewTicker(checkStuck)
		defer tick.Stop()
		end := time.Now().Add(k.settings.deadline)
		last, since := int64(-1), time.Now()
		for {
			select {
			case now := <-tick.C:
				if n := passed.Load(); n != last {
					last, since = n, now
				}
				if now.Sub(since) > stuckAfter {
					cancel(errStuck)
				}
				if now.After(end) {
					cancel(errLateSoak)
				}
			case <-ctx.Done():
				return
			}
		}
	}()
}

// listen answers for the services at a URL, with faults. The calls under way when it is closed are finished.
func (f *fire) listen(ctx context.Context, server string) (endpoint string, stop func(), err error) {
	proxy, err := f.proxy(server)
	if err != nil {
		return "", nil, err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, fmt.Errorf("listening for the worker: %w", err)
	}
	front := &http.Server{Handler: proxy, ReadHeaderTimeout: time.Minute, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}
	go func() { _ = front.Serve(listener) }() // ends with Shutdown
	return "http://" + listener.Addr().String(), func() {
		_ = front.Shutdown(context.WithoutCancel(ctx)) // ends with the calls: they don't wait for who is gone
	}, nil
}
