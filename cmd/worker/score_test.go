package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/skiff-ml/skiff/cmd/internal/shipped"
	"github.com/skiff-ml/skiff/inference"
	"github.com/skiff-ml/skiff/inference/hint"
)

// A files3 is S3 with objects, by path, and what happens to requests.
type files3 struct {
	*httptest.Server
	mu      sync.Mutex
	objects map[string][]byte
	meta    map[string]http.Header
	refuse  map[string]int // puts of a path that are refused
	stall   string         // of this path only half is sent, then nothing
	stalled func()
}

func newFiles3(t *testing.T) *files3 {
	t.Helper()
	f := &files3{objects: map[string][]byte{}, meta: map[string]http.Header{}, refuse: map[string]int{}}
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		defer f.mu.Unlock()
		name := r.URL.Path
		fail := func(status int, code string) {
			w.WriteHeader(status)
			fmt.Fprintf(w, `<?xml version="1.0"?><Error><Code>%s</Code><Message>no</Message></Error>`, code)
		}
		data, there := f.objects[name]
		switch {
		case r.Method == http.MethodPut:
			body, err := io.ReadAll(r.Body)
			if err != nil {
				return
			}
			if f.refuse[name] > 0 {
				f.refuse[name]--
				fail(http.StatusForbidden, "AccessDenied")
				return
			}
			f.objects[name], f.meta[name] = body, r.Header
		case !there:
			fail(http.StatusNotFound, "NoSuchKey")
		default:
			for key, value := range f.meta[name] {
				if strings.HasPrefix(key, "X-Amz-Meta-") {
					w.Header()[key] = value
				}
			}
			w.Header().Set("ETag", fmt.Sprintf(`"%d"`, len(data)))
			w.Header().Set("Content-Length", fmt.Sprint(len(data)))
			if f.stall == name && r.Header.Get("If-Match") != "" {
				_, _ = w.Write(data[:len(data)/2])
				_ = http.NewResponseController(w).Flush()
				f.mu.Unlock()
				f.stalled()
				<-r.Context().Done()
				f.mu.Lock()
				return
			}
			_, _ = w.Write(data)
		}
	}))
	t.Cleanup(f.Close)
	return f
}

func (f *files3) names() (all []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for name := range f.objects {
		all = append(all, name)
	}
	return all
}

// A modelFunc is no model.
type modelFunc func()

// Predict implements [inference.Model].
func (m modelFunc) Predict(*inference.Batch) error { m(); return errors.New("no model") }

// rideLines are n documents.
func rideLines(n int) []byte {
	var b bytes.Buffer
	for i := range n {
		fmt.Fprintf(&b, `{"ride": {"PULocationID": 236, "DOLocationID": 162, "trip_distance": 2.28}, "ride_id": %d}`+"\n", i)
	}
	return b.Bytes()
}

// newScorer is a worker of this process over that S3.
func newScorer(t *testing.T, f *files3) scorer {
	t.Helper()
	run := shipped.ReadRuns(t).Linear
	t.Setenv("AWS_REGION", "us-east-1") // the SDK's own
	t.Setenv("AWS_ACCESS_KEY_ID", "test")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "test")
	t.Setenv("TMPDIR", t.TempDir())
	env := map[string]string{
		"RUN_ID": run, "MODEL_LOCATION": filepath.Join(shipped.Models(t), run), "ONNXRUNTIME_LIB": shipped.Library(t), "S3_ENDPOINT_URL": f.URL,
	}
	log := slog.New(slog.DiscardHandler)
	w, err := load(t.Context(), func(name string) string { return env[name] }, log, false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.close() })
	return scorer{w, handlerFunc(func([]byte) ([]byte, error) { return []byte("others"), nil }), log}
}

const scoreEvent = `{"Items": [{"score": "s3://rides/a.jsonl", "to": "s3://rides/a.out"}, {"score": "s3://rides/b.jsonl", "to": "s3://rides/b.out"}]}`

// When the time is up in the middle of a file, nothing of it is written, those
// before it are, and the next invocation does what is left.
func TestTheTimeOfAScoringIsUp(t *testing.T) {
	f := newFiles3(t)
	f.objects["/rides/a.jsonl"], f.objects["/rides/b.jsonl"], f.stall = rideLines(10), rideLines(5000), "/rides/b.jsonl"
	s := newScorer(t, f)
	ctx, cancel := context.WithCancelCause(t.Context())
	f.stalled = func() { cancel(errTimeUp) }
	_, err := s.Invoke(ctx, []byte(scoreEvent))
	if err == nil || !errors.Is(err, errTimeUp) || hint.Of(err) == "" || !strings.Contains(err.Error(), "file 2 of 2: ") || !strings.Contains(err.Error(), "nothing is written") {
		t.Errorf("got %v", err)
	}
	if all := f.names(); len(all) != 4 || f.objects["/rides/b.out"] != nil || f.objects["/rides/b.out.rejected"] != nil {
		t.Errorf("there are %v", all)
	}
	if left, err := os.ReadDir(os.TempDir()); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	f.stall = ""
	short, end := context.WithTimeout(t.Context(), answerTime) // of which nothing is left
	defer end()
	if _, err := s.Invoke(short, []byte(scoreEvent)); !errors.Is(err, errTimeUp) || hint.Of(err) == "" {
		t.Errorf("got %v", err)
	}
	response, err := s.Invoke(t.Context(), []byte(scoreEvent))
	var got struct{ Scored []summary }
	if err := errors.Join(err, json.Unmarshal(response, &got)); err != nil {
		t.Fatal(err)
	}
	if a, b := got.Scored[0], got.Scored[1]; !a.Before || a.Predicted != 10 || b.Before || b.Predicted != 5000 || bytes.Count(f.objects["/rides/b.out"], []byte("\n")) != 5000 {
		t.Errorf("answered %s", response)
	}
}

// What cannot be put into S3 stays here, and the same command puts it there.
func TestAnUploadThatFailsIsDoneAgain(t *testing.T) {
	f := newFiles3(t)
	f.objects["/rides/a.jsonl"], f.refuse["/rides/a.out"] = rideLines(2000), 1
	s := newScorer(t, f)
	t.Chdir(t.TempDir())
	batches := 0
	job := &scoring{
		loader: s.worker.loader, manifest: &s.worker.serving.Load().manifest, model: s.worker.current,
		from: "s3://rides/a.jsonl", to: "s3://rides/a.out", names: [2]string{"-score", "-to"},
	}
	if _, err := job.run(t.Context()); err == nil || !strings.Contains(hint.Of(err), "s3:PutObject on what -to names") || f.objects["/rides/a.out"] != nil {
		t.Errorf("got %v", err)
	}
	if left, err := filepath.Glob("a.out.*.part*"); err != nil || len(left) != 3 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	job.model = modelFunc(func() { batches++ })
	done, err := job.run(t.Context())
	if err != nil || done.Predicted != 2000 || batches != 0 || bytes.Count(f.objects["/rides/a.out"], []byte("\n")) != 2000 {
		t.Errorf("%+v, %v, %d batches", done, err, batches)
	}
	if left, err := os.ReadDir("."); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	f.objects["/rides/a.jsonl"] = rideLines(2001)
	if _, err := job.run(t.Context()); err == nil || !strings.Contains(err.Error(), "is there already") {
		t.Errorf("another object: %v", err)
	}
}

// What a process that was killed left in the folder for files is removed.
func TestLeftovers(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	for _, name := range []string{scoreFolder + "1", scoreFolder + "2", "others"} {
		if err := os.MkdirAll(filepath.Join(os.TempDir(), name, "x"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	removeLeftovers(slog.New(slog.DiscardHandler))
	if left, err := os.ReadDir(os.TempDir()); err != nil || len(left) != 1 || left[0].Name() != "others" {
		t.Errorf("left are %v, %v", left, err)
	}
}

func TestWhatOrdersAre(t *testing.T) {
	for event, want := range map[string]bool{
		`{"score": "s3://rides/in/a.jsonl", "to": "s3://rides/out/a.jsonl"}`: true,
		scoreEvent:                                     true,
		`{"score": "s3://rides/in/a.jsonl"}`:           true, // and an error
		`{"score": 0.5}`:                               false,
		`{"score": "rides.jsonl"}`:                     false,
		`{"score": "s3://rides/in/a.jsonl", "ride":1}`: false, // a document
		`{"Items": []}`:                                false,
		`{"Items": [{"score": 1}]}`:                    false,
		`{"score": "s3://a/b"} {}`:                     false,
		`["score"]`:                                    false,
		`{}`:                                           false,
	} {
		if got := readOrders([]byte(event)) != nil; got != want {
			t.Errorf("%s: %v", event, got)
		}
	}
}

func TestOrdersThatAreNone(t *testing.T) {
	f := newFiles3(t)
	s := newScorer(t, f)
	for event, says := range map[string]string{
		`{"score": "s3://rides/in/a.jsonl"}`:                                                                  "its predictions to go to",
		`{"score": "s3://rides/in/a.jsonl", "to": "out.jsonl"}`:                                               "its predictions to go to",
		`{"score": "s3://rides/in/a.jsonl", "to": "s3://rides/out/a.jsonl.gz"}`:                               "predictions are JSON lines",
		`{"score": "s3://rides/in/none.jsonl", "to": "s3://rides/out/a.jsonl"}`:                               "reading s3://rides/in/none.jsonl: file does not exist",
		`{"Items": [{"score": "s3://rides/in/a.jsonl", "to": "s3://rides/out/a"}, {"score": "x", "to": ""}]}`: "reading s3://rides/in/a.jsonl",
	} {
		if _, err := s.Invoke(t.Context(), []byte(event)); err == nil || !strings.Contains(err.Error(), says) || hint.Of(err) == "" {
			t.Errorf("%s: %v", event, err)
		}
	}
	if response, err := s.Invoke(t.Context(), []byte(`{"ride": {}}`)); string(response) != "others" || err != nil {
		t.Errorf("%s, %v", response, err)
	}
	s.worker.loader.canary.runID = "another"
	if _, err := s.Invoke(t.Context(), []byte(scoreEvent)); err == nil || !strings.Contains(err.Error(), "canary") {
		t.Error(err)
	}
}

// Neither of two errors is lost, and a lone one stays what it is.
func TestJoin(t *testing.T) {
	first, second := errors.New("first"), errors.New("second")
	both := join(first, second)
	if join(nil, nil) != nil || join(first, nil) != first || join(nil, second) != second || !errors.Is(both, first) || !errors.Is(both, second) { //nolint:errorlint // the same one
		t.Errorf("both are %v", both)
	}
}
