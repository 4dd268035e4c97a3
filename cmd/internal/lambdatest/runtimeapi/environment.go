package runtimeapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/skiff-ml/skiff/cmd/internal/lambdatest/process"
	"github.com/skiff-ml/skiff/inference/limits"
)

// prefix is the path under which the Runtime API answers.
const prefix = "/2018-06-01/runtime/"

// StartError says that the function's program did not get as far as asking for its first invocation.
type StartError struct {
	Reason string // how it ended, such as "exit status 1"
	Init   string // what it told the API about it, if anything
}

// Error names the reason and, where there is one, the program's own.
func (e *StartError) Error() string {
	if e.Init != "" {
		return fmt.Sprintf("the function did not start: %s: %s", e.Reason, e.Init)
	}
	return "the function did not start: " + e.Reason
}

// environment is one process and its API. It has a listener of its own, so that nothing of an earlier process can speak for it.
type environment struct {
	config  Config
	server  *http.Server
	process *process.Process

	asked       chan struct{} // closed when the process has asked for its first invocation
	askedOnce   sync.Once
	invocations chan *invocation

	mu        sync.Mutex
	current   *invocation // handed out and not answered yet
	initError string
}

// invocation is one request on its way.
type invocation struct {
	id      string
	payload []byte
	taken   chan time.Time // gets the deadline once the process has been given the invocation
	done    chan Result    // gets its answer
}

func newInvocation(payload []byte) *invocation {
	return &invocation{id: newRequestID(), payload: payload, taken: make(chan time.Time, 1), done: make(chan Result, 1)}
}

// startEnvironment starts the process and waits for its first request for an invocation. The environment is nil when there is an error.
func startEnvironment(ctx context.Context, config Config) (*environment, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listening for the function: %w", err)
	}
	e := &environment{config: config, asked: make(chan struct{}), invocations: make(chan *invocation)}
	e.server = &http.Server{Handler: e.routes(), ReadHeaderTimeout: limits.InitTime}
	go func() { _ = e.server.Serve(listener) }() // ends with the server's Close
	if e.process, err = process.Start(config.Command(listener.Addr().String())); err != nil {
		_ = e.server.Close()
		return nil, err
	}
	timer := time.NewTimer(limits.InitTime)
	defer timer.Stop()
	select {
	case <-e.asked:
		return e, nil
	case <-e.process.Exited():
		err = &StartError{Reason: e.process.Status(), Init: e.initFailure()}
	case <-timer.C:
		err = &StartError{Reason: fmt.Sprintf("its init phase took longer than %v", limits.InitTime), Init: e.initFailure()}
	case <-ctx.Done():
		err = ctx.Err()
	}
	e.stop(0)
	return nil, err
}

func (e *environment) running() bool {
	select {
	case <-e.process.Exited():
		return false
	default:
		return true
	}
}

// stop ends the process and then its API.
func (e *environment) stop(grace time.Duration) {
	e.process.Stop(grace)
	_ = e.server.Close()
}

// invoke gives the process an invocation and waits for its answer. Its error is errEnvironmentGone when the process never got it.
func (e *environment) invoke(ctx context.Context, inv *invocation) (Result, error) {
	timer := time.NewTimer(e.config.Timeout)
	defer timer.Stop()
	select {
	case e.invocations <- inv:
	case <-e.process.Exited():
		e.stop(0)
		return Result{}, errEnvironmentGone
	case <-timer.C: // still busy after its last answer
		e.stop(0)
		return Result{}, errEnvironmentGone
	case <-ctx.Done():
		return Result{}, ctx.Err()
	}
	timer.Reset(time.Until(<-inv.taken))
	select {
	case result := <-inv.done:
		return result, nil
	case <-e.process.Exited():
		e.stop(0)
		select {
		case result := <-inv.done: // it answered, then ended
			return result, nil
		default:
			return inv.failure("Runtime.ExitError", "Runtime exited with error: "+e.process.Status()), nil
		}
	case <-timer.C:
		e.stop(0)
		return inv.failure("Sandbox.Timedout", fmt.Sprintf("Task timed out after %.2f seconds", e.config.Timeout.Seconds())), nil
	case <-ctx.Done():
		return Result{}, ctx.Err()
	}
}

// failure is the result Lambda makes up where the function has none.
func (i *invocation) failure(kind, message string) Result {
	return Result{RequestID: i.id, FunctionError: unhandled, Payload: errorDocument(kind, "RequestId: "+i.id+" Error: "+message)}
}

// errorDocument is the form of every error of Lambda, in results and in the API's answers.
func errorDocument(kind, message string) []byte {
	doc, _ := json.Marshal(struct { // two strings: cannot fail
		Type    string `json:"errorType"`
		Message string `json:"errorMessage"`
	}{kind, message})
	return doc
}

func (e *environment) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+prefix+"invocation/next", e.next)
	mux.HandleFunc("POST "+prefix+"invocation/{id}/response", func(w http.ResponseWriter, r *http.Request) { e.answer(w, r, "") })
	mux.HandleFunc("POST "+prefix+"invocation/{id}/error", func(w http.ResponseWriter, r *http.Request) { e.answer(w, r, unhandled) })
	mux.HandleFunc("POST "+prefix+"init/error", e.failInit)
	return mux
}

// next hands out an invocation, once there is one.
func (e *environment) next(w http.ResponseWriter, r *http.Request) {
	e.askedOnce.Do(func() { close(e.asked) })
	var inv *invocation
	select {
	case inv = <-e.invocations:
	case <-r.Context().Done():
		return
	}
	deadline := time.Now().Add(e.config.Timeout)
	e.mu.Lock()
	e.current = inv
	e.mu.Unlock()
	inv.taken <- deadline

	h := w.Header()
	h.Set("Lambda-Runtime-Aws-Request-Id", inv.id)
	h.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(deadline.UnixMilli(), 10))
	h.Set("Lambda-Runtime-Invoked-Function-Arn", e.config.ARN)
	h.Set("Content-Type", "application/json")
	_, _ = w.Write(inv.payload) // when it fails, the process has gone, which invoke notices
}

// answer takes the response or the error of the current invocation.
func (e *environment) answer(w http.ResponseWriter, r *http.Request, functionError string) {
	e.mu.Lock()
	inv := e.current
	if inv == nil || inv.id != r.PathValue("id") {
		e.mu.Unlock()
		reply(w, http.StatusBadRequest, errorDocument("InvalidRequestID", "Invalid request ID"))
		return
	}
	e.current = nil
	e.mu.Unlock()

	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limits.Request))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		message := fmt.Sprintf("Exceeded maximum allowed payload size (%d bytes).", limits.Request)
		inv.done <- inv.failure("Function.ResponseSizeTooLarge", message)
		reply(w, http.StatusRequestEntityTooLarge, errorDocument("RequestEntityTooLarge", message))
		return
	}
	if err != nil {
		inv.done <- inv.failure("Runtime.TruncatedResponse", "reading the response: "+err.Error())
		return
	}
	if kind := r.Trailer.Get("Lambda-Runtime-Function-Error-Type"); kind != "" { // it failed while writing its response
		inv.done <- inv.failure(kind, "the response was cut short")
	} else {
		inv.done <- Result{RequestID: inv.id, Payload: body, FunctionError: functionError}
	}
	reply(w, http.StatusAccepted, []byte(`{"status":"OK"}`))
}

// failInit keeps what the program says about its own failed start.
func (e *environment) failInit(w http.ResponseWriter, r *http.Request) {
	var doc struct {
		Message string `json:"errorMessage"`
	}
	if json.NewDecoder(http.MaxBytesReader(w, r.Body, limits.Request)).Decode(&doc) == nil {
		e.mu.Lock()
		e.initError = doc.Message
		e.mu.Unlock()
	}
	reply(w, http.StatusAccepted, []byte(`{"status":"OK"}`))
}

func (e *environment) initFailure() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.initError
}

func reply(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body) // the process that asked may have gone
}
