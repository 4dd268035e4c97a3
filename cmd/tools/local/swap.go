package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/skiff-ml/skiff/cmd/internal/lambdatest/faults"
	"github.com/skiff-ml/skiff/cmd/internal/localstate"
	"github.com/skiff-ml/skiff/inference/alias"
	"github.com/skiff-ml/skiff/inference/bundle"
	"github.com/skiff-ml/skiff/inference/hint"
)

// How a rehearsal goes.
const (
	swapRefresh  = "0.1"                 // MODEL_REFRESH_SECONDS
	swapPoll     = 20 * time.Millisecond // of the mapping, and of who waits
	swapPatience = 20 * time.Second      // for each step
	swapSlow     = time.Minute           // a slow read: longer than any invocation
)

// A rehearsal changes the model under load, in every way that a change can go.
type rehearsal struct {
	*stack
	proxy *faults.Proxy // between the worker and S3
	load  *load
	bar   *progress
	read  int // bytes of the worker's log
	out   swapResult
}

// swap is the swap command.
func swap(ctx context.Context, s settings, stdout, stderr io.Writer) error {
	ctx, cancel := context.WithTimeoutCause(ctx, s.deadline, fmt.Errorf("the rehearsal took longer than %v", s.deadline))
	defer cancel()
	bar := newProgress(stderr)
	out, err := rehearse(ctx, s, bar)
	bar.close()
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			err = fmt.Errorf("%w: %w", cause, err)
		}
		return hint.With(err, "logs: "+shown(s.dir))
	}
	if err := out.print(stdout); err != nil {
		return fmt.Errorf("printing the result: %w", err)
	}
	if err := out.verdict(); err != nil {
		return hint.With(err, "logs: "+shown(s.dir))
	}
	return nil
}

// rehearse does the work of the swap command.
func rehearse(ctx context.Context, s settings, bar *progress) (*swapResult, error) {
	began := time.Now()
	l, err := newLoad(s)
	if err != nil {
		return nil, err
	}
	s.mapping.PollInterval = swapPoll
	st, err := newStack(ctx, s, s.dir, "")
	if err != nil {
		return nil, err
	}
	defer st.close()
	r := &rehearsal{stack: st, load: l, bar: bar, out: swapResult{PredictionsByRun: map[string]int{}}}
	if err := r.prepare(ctx); err != nil {
		return nil, err
	}
	bar.finish("ready       after %.1f s", time.Since(began).Seconds())
	if err := r.underLoad(ctx); err != nil {
		return nil, err
	}
	if err := l.collect(ctx, st.ministack.Kinesis, &r.out); err != nil {
		return nil, err
	}
	r.out.Seconds = time.Since(began).Seconds()
	return &r.out, nil
}

// prepare has the worker serve the first run by the alias, with S3 behind a proxy.
func (r *rehearsal) prepare(ctx context.Context) (err error) {
	s := r.settings
	other := s
	other.runID, other.model = s.other, filepath.Join(filepath.Dir(s.model), s.other)
	if err := r.ministack.Upload(ctx, localstate.ModelBucket, bundlePrefix(other), other.model); err != nil {
		return err
	}
	if r.proxy, err = faults.New(r.ministack.Endpoint); err != nil {
		return err
	}
	front := httptest.NewServer(r.proxy)
	r.closers = append(r.closers, front.Close)
	r.env = []string{"RUN_ID=@champion", "MODEL_REFRESH_SECONDS=" + swapRefresh, "S3_ENDPOINT_URL=" + front.URL}
	r.load.function = r.function
	if err := r.promote(ctx, s.runID); err != nil {
		return err
	}
	return r.startWorker(ctx)
}

// underLoad takes the steps while rides come at a constant rate.
func (r *rehearsal) underLoad(ctx context.Context) error {
	givenUp, err := r.newOnFailure(false)
	if err != nil {
		return err
	}
	working, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	m, err := r.newMapping(r.load, givenUp, nil)
	if err != nil {
		return err
	}
	ended := make(chan error, 2)
	go func() { ended <- m.Run(working) }()
	producing, enough := context.WithCancel(working)
	defer enough()
	go func() {
		if err := r.load.produce(producing, r.ministack.Kinesis); err != nil {
			stop(err)
		}
		ended <- nil
	}()
	err = r.steps(working)
	enough()
	err = errors.Join(err, <-ended) // of whichever is first: the producer, or a mapping that failed
	if err == nil {
		err = r.until(working, "all rides to be through", func() bool { return r.load.answered.Load() >= r.load.produced.Load() })
	}
	stop(nil)
	return err
}

// steps are the changes, the good and the bad.
func (r *rehearsal) steps(ctx context.Context) error {
	one, two := r.settings.runID, r.settings.other
	bad := func(f faults.Fault, within string) func() { // what the worker meets there, until it is taken away
		r.proxy.Set("GetObject", faults.Always(ofWhat(within, f)))
		return func() { r.proxy.Set("GetObject", nil) }
	}
	pointer := path.Join(r.settings.experiment, alias.File("champion"))
	for _, step := range []struct {
		name string
		do   func() error
	}{
		{"promote", func() error { return errors.Join(r.promote(ctx, two), r.serves(ctx, two)) }},
		{"promote an altered bundle", func() error { return r.refusedAltered(ctx, one) }},
		{"promote a bundle that is altered afterwards", func() error {
			defer bad(altered, one+"/artifacts/onnx/"+bundle.ModelFile)()
			return errors.Join(r.promote(ctx, one), r.refuses(ctx, "was altered", two), r.rollback(ctx))
		}},
		{"promote a bundle that is slow", func() error {
			defer bad(faults.Slow(swapSlow), one+"/artifacts/onnx/"+bundle.ModelFile)()
			return errors.Join(r.promote(ctx, one), r.refuses(ctx, "took longer than", two), r.rollback(ctx))
		}},
		{"promote a bundle that is out of reach for a while", func() error {
			mend := bad(faults.Reset(false), one+"/artifacts/onnx/")
			err := errors.Join(r.promote(ctx, one), r.refuses(ctx, one+"/artifacts/onnx/", two))
			mend()
			return errors.Join(err, r.serves(ctx, one))
		}},
		{"promote while the alias is out of reach", func() error {
			mend := bad(faults.Reset(false), pointer)
			err := errors.Join(r.promote(ctx, two), r.refuses(ctx, pointer, one))
			mend()
			return errors.Join(err, r.serves(ctx, two))
		}},
		{"roll back", func() error { return errors.Join(r.rollback(ctx), r.serves(ctx, one)) }},
		{"and again", func() error { return errors.Join(r.rollback(ctx), r.serves(ctx, two)) }},
	} {
		begun := time.Now()
		r.bar.step(func() string { return step.name })
		if err := step.do(); err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
		r.bar.finish("%-50s %.2f s", step.name, time.Since(begun).Seconds())
	}
	return nil
}

// altered answers with what is there, but for its last byte.
func altered(w http.ResponseWriter, r *http.Request, forward http.Handler) {
	answer := httptest.NewRecorder()
	forward.ServeHTTP(answer, r)
	body := answer.Body.Bytes()
	if len(body) > 0 {
		body[len(body)-1] ^= 1
	}
	w.WriteHeader(answer.Code)
	_, _ = w.Write(body) // who asked may have gone
}

// ofWhat is a fault of what has that in its path.
func ofWhat(part string, f faults.Fault) faults.Fault {
	return func(w http.ResponseWriter, r *http.Request, forward http.Handler) {
		if strings.Contains(r.URL.Path, part) {
			f(w, r, forward)
			return
		}
		forward.ServeHTTP(w, r)
	}
}

// refusedAltered alters a bundle in S3, has the command refuse it, and mends it.
func (r *rehearsal) refusedAltered(ctx context.Context, run string) error {
	of := r.settings
	of.runID = run
	key := bundlePrefix(of) + bundle.ModelFile
	whole, err := os.ReadFile(filepath.Join(filepath.Dir(r.settings.model), run, bundle.ModelFile))
	if err != nil {
		return err
	}
	put := func(data string) error {
		bucket := localstate.ModelBucket
		_, err := r.ministack.S3.PutObject(ctx, &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: strings.NewReader(data)})
		return err
	}
	if err := put(string(whole) + "x"); err != nil {
		return err
	}
	said, err := r.skiff(ctx, "promote", run)
	if err == nil || !strings.Contains(said, "was altered") {
		return fmt.Errorf("it was not refused: %s", said)
	}
	r.out.Refused++
	return put(string(whole))
}
