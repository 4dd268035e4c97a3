package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/skiff-ml/skiff/cmd/internal/shipped"
)

// patience is how long a test waits for what has to come.
const patience = time.Minute

// receive returns what comes in time.
func receive[T any](t *testing.T, from <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(patience):
		t.Fatalf("no %s", what)
		panic("unreachable")
	}
}

// A stream is a stand-in for Kinesis: it holds each PutRecords until it is
// released, and keeps what it took.
type stream struct {
	*httptest.Server
	putting chan struct{} // gets one for each request
	release chan struct{} // closed, or one for each request

	mu   sync.Mutex
	keys []string
}

func newStream(t *testing.T) *stream {
	t.Helper()
	s := &stream{putting: make(chan struct{}, 10), release: make(chan struct{})}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var put struct {
			Records []struct{ PartitionKey string }
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // the worker was ended while it sent
		}
		if err := json.Unmarshal(body, &put); err != nil {
			t.Errorf("%s %s: %v", r.Method, r.Header, err)
		}
		s.putting <- struct{}{}
		select {
		case <-s.release:
		case <-r.Context().Done():
			return
		}
		var answers []string
		s.mu.Lock()
		for _, record := range put.Records {
			s.keys = append(s.keys, record.PartitionKey)
			answers = append(answers, `{"SequenceNumber":"1","ShardId":"shardId-000000000000"}`)
		}
		s.mu.Unlock()
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		fmt.Fprintf(w, `{"FailedRecordCount":0,"Records":[%s]}`, strings.Join(answers, ","))
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *stream) taken() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.keys, " ")
}

// A runtimeAPI is a stand-in for Lambda's Runtime API, for one function.
type runtimeAPI struct {
	*httptest.Server
	asked   chan struct{} // gets one when it is asked for an invocation
	next    chan string   // ids of invocations of the event
	answers chan string   // id, response or error, body
}

func newRuntimeAPI(t *testing.T, event []byte) *runtimeAPI {
	t.Helper()
	api := &runtimeAPI{asked: make(chan struct{}, 10), next: make(chan string), answers: make(chan string, 10)}
	const prefix = "/2018-06-01/runtime/invocation/"
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+prefix+"next", func(w http.ResponseWriter, r *http.Request) {
		api.asked <- struct{}{}
		select {
		case id := <-api.next:
			w.Header().Set("Lambda-Runtime-Aws-Request-Id", id)
			w.Header().Set("Lambda-Runtime-Deadline-Ms", fmt.Sprint(time.Now().Add(time.Minute).UnixMilli()))
			_, _ = w.Write(event)
		case <-r.Context().Done():
		}
	})
	mux.HandleFunc("POST "+prefix+"{id}/{kind}", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		w.WriteHeader(http.StatusAccepted)
		api.answers <- r.PathValue("id") + " " + r.PathValue("kind") + " " + string(body)
	})
	api.Server = httptest.NewServer(mux)
	t.Cleanup(api.Close)
	return api
}

// invoke hands out an invocation.
func (api *runtimeAPI) invoke(t *testing.T, id string) {
	t.Helper()
	select {
	case api.next <- id:
	case <-time.After(patience):
		t.Fatalf("nobody asks for %s", id)
	}
}

// workerCommand is the worker itself, which the test binary is by that name,
// with a shipped run and nothing of this process's environment.
func workerCommand(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	run := shipped.ReadRuns(t).Linear
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, args...)
	cmd.Args[0] = "worker"
	cmd.Env = []string{
		"RUN_ID=" + run, "MODEL_LOCATION=" + filepath.Join(shipped.Models(t), run), "ONNXRUNTIME_LIB=" + shipped.Library(t),
		"AWS_REGION=us-east-1", "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test", "AWS_EC2_METADATA_DISABLED=true",
		"HOME=" + t.TempDir(),
	}
	return cmd
}

// A running worker.
type running struct {
	*exec.Cmd
	stdout, stderr bytes.Buffer // once it has ended
	lines          chan string  // what it logs, as it does
	ended          chan error
}

func startWorker(t *testing.T, cmd *exec.Cmd) *running {
	t.Helper()
	w := &running{Cmd: cmd, lines: make(chan string, 100), ended: make(chan error, 1)}
	cmd.Stdout, cmd.Stderr = &w.stdout, io.MultiWriter(&w.stderr, lineWriter(w.lines))
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { w.ended <- cmd.Wait() }()
	return w
}

// A lineWriter sends on what is written to it. The worker writes whole lines.
type lineWriter chan<- string

func (l lineWriter) Write(text []byte) (int, error) {
	for line := range strings.Lines(string(text)) {
		l <- line
	}
	return len(text), nil
}

// terminate sends SIGTERM.
func (w *running) terminate(t *testing.T) {
	t.Helper()
	if err := w.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Fatal(err)
	}
}

// logs waits for a line of the log.
func (w *running) logs(t *testing.T, what string) string {
	t.Helper()
	for {
		if line := receive(t, w.lines, what); strings.Contains(line, what) {
			return line
		}
	}
}

// end waits for the worker's end, which has that exit code.
func (w *running) end(t *testing.T, code int) {
	t.Helper()
	_ = receive(t, w.ended, "end") // what matters of it is the exit code
	if got := w.ProcessState.ExitCode(); got != code {
		t.Errorf("exit code %d, want %d: %s", got, code, &w.stderr)
	}
}

func readFile(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// The tutorial's event, and its record.
const (
	tutorialEvent    = "../../models/taxi/event.json"
	tutorialSequence = "49641801370286448471783931287578672283018518126072430594"
)

// listens waits until a worker with -listen does, and returns what asks it: by a
// method and a path, with a body, for the text of its answer.
func (w *running) listens(t *testing.T) (ask func(method, path, body string) string) {
	t.Helper()
	var listening struct{ Address string }
	if err := json.Unmarshal([]byte(w.logs(t, `"listening"`)), &listening); err != nil {
		t.Fatal(err)
	}
	return func(method, path, body string) string {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), method, "http://"+listening.Address+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		if err != nil || response.StatusCode != http.StatusOK {
			t.Fatal(response.Status, err)
		}
		return string(text)
	}
}
