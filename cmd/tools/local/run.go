package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/skiff-ml/skiff/cmd/internal/lambdatest/mapping"
	"github.com/skiff-ml/skiff/cmd/internal/localstate"
	"github.com/skiff-ml/skiff/cmd/tools/internal/taxi"
	"github.com/skiff-ml/skiff/inference/hint"
)

// stream is the run command: rides through the worker, and their predictions compared with the pipeline's.
func stream(ctx context.Context, s settings, stdout, stderr io.Writer) error {
	live, err := openPage(ctx, s)
	if err != nil {
		return err
	}
	defer live.close()
	open := ctx
	errLate := fmt.Errorf("the run took longer than %v", s.deadline)
	ctx, cancel := context.WithTimeoutCause(ctx, s.deadline, errLate)
	defer cancel()
	bar := newProgress(stderr)
	out, err := streamRides(ctx, s, live, bar)
	bar.close()
	if err != nil {
		switch cause := context.Cause(ctx); {
		case errors.Is(cause, errLate):
			return hint.With(cause, "-deadline gives it more time; logs: "+shown(s.dir))
		case cause != nil: // interrupted
			return cause
		default:
			return err
		}
	}
	if err := out.print(stdout); err != nil {
		return fmt.Errorf("printing the result: %w", err)
	}
	if err := out.verdict(); err != nil {
		return hint.With(err, "logs: "+shown(s.dir))
	}
	live.stay(open, stderr)
	return nil
}

// streamRides does the work of the run command.
func streamRides(ctx context.Context, s settings, live *livePage, bar *progress) (*outcome, error) {
	out, err := readInputs(s)
	if err != nil {
		return nil, err
	}
	begin := time.Now()
	if live != nil {
		bar.finish("page        %s", live.url)
	}
	bar.step(func() string { return "starting ministack" })
	st, err := newStack(ctx, s, s.dir, "")
	if err != nil {
		return nil, err
	}
	defer st.close()
	if err := live.watch(ctx, st); err != nil {
		return nil, err
	}
	bar.finish("ministack   %s, after %.1f s", st.ministack.Endpoint, time.Since(begin).Seconds())
	bar.finish("bundle      s3://%s/%s", localstate.ModelBucket, bundlePrefix(s))

	if err := st.startAndProduce(ctx, out.records, bar); err != nil {
		return nil, err
	}
	if len(out.bad) > 0 {
		bar.finish("bad         %d of them, to s3://%s/%s", len(out.bad), localstate.DeadLetterBucket, localstate.DeadLetterPrefix)
	}
	givenUp, err := st.newOnFailure(false)
	if err != nil {
		return nil, err
	}
	if err := st.score(ctx, out, givenUp, bar); err != nil {
		return nil, err
	}
	bar.step(func() string { return "reading " + localstate.PredictionsStream })
	if err := out.published.collect(ctx, mapping.NewSource(st.ministack.Kinesis, localstate.PredictionsStream), out.manifest); err != nil {
		return nil, err
	}
	out.givenUp = givenUp.keys
	if s.deadLetters {
		if out.letters, err = readDeadLetters(ctx, st.ministack, len(out.rides)); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// readInputs reads all that the run needs from files.
func readInputs(s settings) (*outcome, error) {
	m, err := readManifest(s.model)
	if err != nil {
		return nil, err
	}
	if m.id == "" {
		return nil, hint.With(fmt.Errorf("the bundle in %s has no id, so its predictions name no ride", shown(s.model)), "convert it with a spec that has an id")
	}
	if m.runID != s.runID {
		return nil, hint.With(fmt.Errorf("the bundle in %s is of run %s, not %s", shown(s.model), m.runID, s.runID), "-model models/"+s.runID)
	}
	rides, err := taxi.ReadRides(s.rides, s.n)
	if err != nil {
		return nil, err
	}
	reference, err := taxi.ReadPredictions(s.predictions, s.runID, s.n)
	if err != nil {
		return nil, err
	}
	if reference != nil && len(reference) < len(rides) {
		return nil, hint.With(fmt.Errorf("%s has predictions for %d rides, not %d", shown(s.predictions), len(reference), len(rides)),
			fmt.Sprintf("-n %d is the most", len(reference)))
	}
	out := &outcome{
		settings: s, manifest: m, rides: rides, reference: reference, published: newPublished(len(rides)), letters: &deadLetters{},
		records: make([][]byte, len(rides)),
	}
	for id, ride := range rides {
		if out.records[id], err = ride.Record(id); err != nil {
			return nil, err
		}
	}
	if s.bad > 0 {
		out.bad = makeBad(out.records, s.bad, ways(m.limit))
	}
	return out, nil
}

// startAndProduce starts the worker while the rides go into their stream. A worker that does not start ends both.
func (st *stack) startAndProduce(ctx context.Context, records [][]byte, bar *progress) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	begin := time.Now()
	ready := make(chan time.Duration, 1)
	go func() {
		if err := st.startWorker(ctx); err != nil {
			cancel(err)
		}
		ready <- time.Since(begin)
	}()
	var put atomic.Int64
	bar.step(func() string {
		return fmt.Sprintf("rides       %d of %d put into %s", put.Load(), len(records), localstate.RidesStream)
	})
	err := produce(ctx, st.ministack.Kinesis, records, &put, nil)
	produced := time.Since(begin)
	if err == nil {
		bar.finish("rides       %d put into %s in %.1f s", len(records), localstate.RidesStream, produced.Seconds())
		bar.step(func() string { return "waiting for the worker" })
	}
	cold := <-ready
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	if err != nil {
		return err
	}
	bar.finish("worker      ready after %.2f s", cold.Seconds())
	return nil
}

// score runs the mapping until every ride is answered for or given up.
func (st *stack) score(ctx context.Context, out *outcome, givenUp *onFailure, bar *progress) error {
	errAll := errors.New("every ride has been through")
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)

	var invocations, passed atomic.Int64
	begin := time.Now()
	worker := &scorer{function: st.function}
	m, err := st.newMapping(worker, givenUp, func(p mapping.Progress) {
		invocations.Store(int64(p.Invocations))
		passed.Store(int64(p.Delivered + p.Discarded))
		if p.Delivered+p.Discarded == len(out.rides) && out.elapsed == 0 {
			out.elapsed = time.Since(begin)
			cancel(errAll)
		}
	})
	if err != nil {
		return err
	}
	bar.step(func() string {
		n := passed.Load()
		return fmt.Sprintf("scored      %d of %d, %.0f records/s", n, len(out.rides), float64(n)/time.Since(begin).Seconds())
	})
	err = m.Run(ctx)
	if !errors.Is(context.Cause(ctx), errAll) {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err == nil {
			err = errors.New("the rides stream ended early")
		}
		return st.problem(err, "worker.log")
	}
	out.scored = int(worker.scored.Load())
	out.invocations = int(invocations.Load())
	bar.finish("scored      %d of %d in %.2f s", passed.Load(), len(out.rides), out.elapsed.Seconds())
	return nil
}
