package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/skiff-ml/skiff/cmd/internal/shipped"
	"github.com/skiff-ml/skiff/inference/alias"
	"github.com/skiff-ml/skiff/inference/bundle"
	"github.com/skiff-ml/skiff/inference/store"
)

// A shelf is a folder with the shipped runs in models/, in which a worker runs.
type shelf struct {
	dir  string
	runs shipped.Runs
}

func newShelf(t *testing.T) *shelf {
	t.Helper()
	s := &shelf{t.TempDir(), shipped.ReadRuns(t)}
	for _, run := range []string{s.runs.Linear, s.runs.Forest} {
		if err := os.CopyFS(filepath.Join(s.dir, "models", run), os.DirFS(filepath.Join(shipped.Models(t), run))); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// promote moves the pointer, without a proof.
func (s *shelf) promote(t *testing.T, run string) {
	t.Helper()
	files := store.Dir(filepath.Join(s.dir, "models"))
	move, err := alias.PlanPromote(t.Context(), files, "champion", run, time.Now())
	if err == nil {
		err = move.Make(t.Context(), files)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// change changes a file of a run.
func (s *shelf) change(t *testing.T, run, name string, change func(string) string) {
	t.Helper()
	file := filepath.Join(s.dir, "models", run, name)
	if err := os.WriteFile(file, []byte(change(string(readFile(t, file)))), 0o600); err != nil {
		t.Fatal(err)
	}
}

// start starts the worker in Lambda, with an event to hand out.
func (s *shelf) start(t *testing.T, refresh string) (*running, *runtimeAPI) {
	t.Helper()
	api := newRuntimeAPI(t, readFile(t, tutorialEvent))
	cmd := workerCommand(t)
	cmd.Dir = s.dir
	cmd.Env = append(cmd.Env, "RUN_ID=@champion", "MODEL_LOCATION=", "TEST_RUN=True", "MODEL_REFRESH_SECONDS="+refresh,
		"AWS_LAMBDA_RUNTIME_API="+strings.TrimPrefix(api.URL, "http://"), "_HANDLER=bootstrap")
	return startWorker(t, cmd), api
}

// predicts invokes the worker and checks whose the prediction is.
func (api *runtimeAPI) predicts(t *testing.T, id, run string) {
	t.Helper()
	api.invoke(t, id)
	answer := receive(t, api.answers, "answer")
	if !strings.HasPrefix(answer, id+" response ") || !strings.Contains(answer, `"version":"`+run+`"`) {
		t.Errorf("%s: answered %s, want a prediction of %s", id, answer, run)
	}
}

// A worker follows its alias from invocation to invocation, back as well, and
// each prediction says whose it is. A run that can't be served changes nothing.
func TestFollowsItsAlias(t *testing.T) {
	s := newShelf(t)
	s.promote(t, s.runs.Linear)
	w, api := s.start(t, "0.000001")
	if ready := w.logs(t, `"ready"`); !strings.Contains(ready, `"alias":"@champion","revision":1`) {
		t.Errorf("logged %s", ready)
	}
	api.predicts(t, "1", s.runs.Linear)
	s.promote(t, s.runs.Forest)
	api.predicts(t, "2", s.runs.Linear) // and then it looks
	changed := w.logs(t, `"model changed"`)
	if !strings.Contains(changed, `"revision":2,"before":"`+s.runs.Linear+`"`) || !strings.Contains(changed, `"run_id":"`+s.runs.Forest+`"`) {
		t.Errorf("logged %s", changed)
	}
	api.predicts(t, "3", s.runs.Forest)

	s.change(t, s.runs.Linear, "golden.jsonl", func(text string) string { return text + "\n" })
	s.promote(t, s.runs.Linear)
	api.predicts(t, "4", s.runs.Forest)
	why := w.logs(t, `"model not changed"`)
	for _, part := range []string{`"level":"WARN"`, `"run_id":"` + s.runs.Forest, `"wanted":"` + s.runs.Linear, `"revision":3`, "was altered", `"hint":"convert the run again`} {
		if !strings.Contains(why, part) {
			t.Errorf("logged %s, without %s", why, part)
		}
	}
	api.predicts(t, "5", s.runs.Forest)
	api.predicts(t, "6", s.runs.Forest)
	s.promote(t, "missing")
	api.predicts(t, "7", s.runs.Forest)
	s.promote(t, s.runs.Forest)
	api.predicts(t, "8", s.runs.Forest)
	w.terminate(t)
	w.end(t, 0)
	if n := strings.Count(w.stderr.String(), `"model not changed"`); n != 2 {
		t.Errorf("it said %d times why the model was not changed, want once for each of two: %s", n, &w.stderr)
	}
}

// A worker that starts while its alias stands for a broken run serves the run
// before, as the others do; -check says what is wrong.
func TestStartsWithTheRunBefore(t *testing.T) {
	s := newShelf(t)
	s.promote(t, s.runs.Linear)
	s.promote(t, s.runs.Forest)
	s.change(t, s.runs.Forest, "model.onnx", func(text string) string { return text + "x" })
	w, api := s.start(t, "0.000001")
	w.logs(t, `"model not changed"`)
	w.logs(t, `"ready"`)
	api.predicts(t, "1", s.runs.Linear)
	s.change(t, s.runs.Forest, "model.onnx", func(text string) string { return strings.TrimSuffix(text, "x") })
	api.predicts(t, "2", s.runs.Linear)
	w.logs(t, `"model changed"`)
	api.predicts(t, "3", s.runs.Forest)
	w.terminate(t)
	w.end(t, 0)
	if n := strings.Count(w.stderr.String(), `"model not changed"`); n != 1 {
		t.Errorf("it said %d times why: %s", n, &w.stderr)
	}

	s.change(t, s.runs.Forest, "model.onnx", func(text string) string { return text + "x" })
	cmd := workerCommand(t, "-check")
	cmd.Dir = s.dir
	cmd.Env = append(cmd.Env, "RUN_ID=@champion", "MODEL_LOCATION=")
	check := startWorker(t, cmd)
	check.end(t, 1)
	if !strings.HasPrefix(check.stderr.String(), "worker: error: model.onnx of run "+s.runs.Forest+" was altered") {
		t.Errorf("-check said %s", &check.stderr)
	}
}

// A manifest is what it was when it was promoted, or it is not served.
func TestAPromotedManifestIsPinned(t *testing.T) {
	s := newShelf(t)
	files := store.Dir(filepath.Join(s.dir, "models"))
	data, err := json.Marshal(alias.Pointer{Format: 1, Revision: 1, RunID: s.runs.Linear, Manifest: strings.Repeat("0", 64), By: alias.Promote})
	if err != nil {
		t.Fatal(err)
	}
	if err := files.WriteIf(t.Context(), alias.File("champion"), data, ""); err != nil {
		t.Fatal(err)
	}
	w, _ := s.start(t, "1")
	w.end(t, 1)
	if !strings.Contains(w.stderr.String(), "worker: error: manifest.json was altered since it was promoted") {
		t.Errorf("it said %s", &w.stderr)
	}
}

// readerFunc is a folder whose one file is read by a function.
type readerFunc func(tag string) ([]byte, string, error)

func (f readerFunc) ReadChanged(_ context.Context, _, tag string) ([]byte, string, error) {
	return f(tag)
}

// The pointer is read at most every so often; less and less often while that
// fails, which is said once.
func TestLooksNowAndThen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var logged bytes.Buffer
		var reads []int // the seconds when
		began, broken := time.Now(), true
		served := &loaded{manifest: bundle.Manifest{Header: bundle.Header{RunID: "run1"}}}
		w := &worker{
			loader: &loader{config: &config{alias: "champion", refresh: time.Minute}},
			pointer: &pointer{alias: "champion", tag: "tag", seen: &alias.Pointer{RunID: "run1"}, folder: readerFunc(func(tag string) ([]byte, string, error) {
				reads = append(reads, int(time.Since(began).Seconds()))
				if broken {
					return nil, "", errors.New("S3 is away")
				}
				return nil, tag, nil
			})},
		}
		w.serving.Store(served)
		r := &upkeep{
			handler:  handlerFunc(func(event []byte) ([]byte, error) { return event, nil }),
			stopping: t.Context(), tasks: []*task{(&refresher{w, slog.New(slog.NewTextHandler(&logged, nil))}).task()},
		}
		invoke := func(minutes int) {
			for range minutes * 60 {
				if got, err := r.Invoke(t.Context(), []byte("event")); string(got) != "event" || err != nil {
					t.Errorf("answered %s, %v", got, err)
				}
				<-time.After(time.Second)
			}
		}
		invoke(50)
		if want := fmt.Sprint([]int{60, 120, 240, 480, 960, 1920, 2880}); fmt.Sprint(reads) != want {
			t.Errorf("read at %v, want %s", reads, want)
		}
		if text := logged.String(); strings.Count(text, "\n") != 1 || !strings.Contains(text, `error="S3 is away" hint="it is tried again; `) {
			t.Errorf("logged %s", text)
		}
		broken, reads = false, nil
		invoke(20)
		if want := fmt.Sprint([]int{3840, 3900, 3960, 4020, 4080, 4140}); fmt.Sprint(reads) != want {
			t.Errorf("read at %v, want %s", reads, want)
		}
		broken = true
		invoke(2)
		if n := strings.Count(logged.String(), "\n"); n != 2 {
			t.Errorf("%d lines, want another for another failure", n)
		}
		short, cancel := context.WithTimeout(t.Context(), leastTime/2)
		defer cancel()
		<-time.After(time.Hour)
		reads = nil
		if _, err := r.Invoke(short, nil); err != nil || reads != nil {
			t.Errorf("without time it read at %v, %v", reads, err)
		}
	})
}
