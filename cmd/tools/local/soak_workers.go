package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/skiff-ml/skiff/cmd/internal/lambdatest/mapping"
	"github.com/skiff-ml/skiff/cmd/internal/lambdatest/runtimeapi"
)

const (
	killEvery = 12                     // invocations have one kill among them, on average
	killIn    = 100 * time.Millisecond // of its invocation, at some moment; of one that ends before, behind its end

	answerTime = 500 * time.Millisecond // what the worker leaves of its timeout, to answer
)

// Workers are the worker's functions as the mapping invokes them, as many as there are shards. They are killed at moments that the seed says,
// and changed to another run between two invocations.
type workers struct {
	fire    *fire
	disks   *disks
	timeout time.Duration // of an invocation
	free    chan *workerSlot
	run     atomic.Pointer[string] // to serve

	mu           sync.Mutex
	kill         *rand.Rand
	kills        int
	failedStarts int
	swaps        int
	made         int // environments
}

// A workerSlot is a function and what it serves.
type workerSlot struct {
	function    *runtimeapi.Function
	run         string
	environment *environment
}

// newWorkers makes n functions whose calls go to an endpoint. Most environments have their bundle from there, and some from a disk.
func (st *stack) newWorkers(n int, f *fire, seed uint64, endpoint string) (*workers, error) {
	d, err := st.newDisks(seed, st.settings.runID, st.settings.other)
	if err != nil {
		return nil, err
	}
	w := &workers{fire: f, disks: d, timeout: st.settings.timeout, free: make(chan *workerSlot, n), kill: random(seed, "kill")}
	w.run.Store(&st.settings.runID)
	for i := range n {
		slot := &workerSlot{run: st.settings.runID}
		slot.function, err = st.newFunction("-"+strconv.Itoa(i+1), func() []string {
			number := w.environment(slot)
			env := []string{"AWS_ENDPOINT_URL=" + endpoint, "AWS_ACCESS_KEY_ID=" + accessKey(number), "RUN_ID=" + slot.run}
			if number%3 == 2 { // the second, so that there always is one
				env = append(env, "MODEL_LOCATION="+d.folder(slot.run))
			}
			return env
		})
		if err != nil {
			return nil, err
		}
		w.free <- slot
	}
	return w, nil
}

// accessKey is that of an environment.
func accessKey(environment int) string { return "SOAK" + strconv.Itoa(environment) }

// environment is the number of a new environment.
func (w *workers) environment(slot *workerSlot) int {
	w.mu.Lock()
	w.made++
	number := w.made
	w.mu.Unlock()
	w.fire.mu.Lock()
	defer w.fire.mu.Unlock()
	e := &environment{}
	if slot.environment != nil {
		e.attempt = slot.environment.attempt
	}
	w.fire.environments[accessKey(number)], slot.environment = e, e
	return number
}

// Invoke implements mapping.Invoker. A worker that does not start is a failed invocation, as on Lambda.
func (w *workers) Invoke(ctx context.Context, event []byte) (mapping.Result, error) {
	slot := <-w.free
	defer func() { w.free <- slot }()
	if run := *w.run.Load(); slot.run != run { // an updated function: the old environment ends, new ones have the new variables
		slot.function.Close()
		slot.run = run
		w.count(func() { w.swaps++ })
	}
	a, err := w.fire.begin(slot.run, event)
	if err != nil {
		return mapping.Result{}, err
	}
	w.fire.mu.Lock()
	if slot.environment == nil {
		slot.environment = &environment{}
	}
	slot.environment.attempt = a
	w.fire.mu.Unlock()

	over, began := w.planKill(slot, a), time.Now()
	result, err := slot.function.Invoke(ctx, spoilBase64(event))
	over()
	if time.Since(began) >= w.timeout-answerTime {
		w.fire.mu.Lock()
		a.outOfTime = true
		w.fire.mu.Unlock()
	}
	if start, ok := errors.AsType[*runtimeapi.StartError](err); ok {
		w.count(func() { w.failedStarts++ })
		document, err := json.Marshal(map[string]string{"errorType": "Runtime.ExitError", "errorMessage": start.Error()})
		w.fire.end(a, mapping.Result{FunctionError: "Unhandled", Payload: document})
		return mapping.Result{FunctionError: "Unhandled", Payload: document}, err
	}
	w.fire.end(a, mapping.Result(result))
	return mapping.Result(result), err
}

func (w *workers) count(change func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change()
}

// planKill has the worker killed in this invocation, if the seed says so. What it returns is to be called when the invocation is over.
func (w *workers) planKill(slot *workerSlot, a *attempt) (over func()) {
	w.mu.Lock()
	planned, after := w.kill.IntN(killEvery) == 0, time.Duration(w.kill.Int64N(int64(killIn)))
	w.mu.Unlock()
	if !planned {
		return func() {}
	}
	kill := func(within bool) {
		w.fire.mu.Lock()
		killed := slot.environment
		w.fire.mu.Unlock()
		if !slot.function.Kill() {
			return
		}
		w.count(func() { w.kills++ })
		w.fire.mu.Lock()
		defer w.fire.mu.Unlock()
		a.killed = a.killed || within
		if slot.environment == killed { // and not its successor, which may be there already
			slot.environment = nil // calls of it may still arrive
		}
	}
	done := make(chan struct{})
	timer := time.AfterFunc(after, func() {
		defer close(done)
		kill(true)
	})
	return func() {
		if timer.Stop() {
			kill(false)
			return
		}
		<-done
	}
}

// end keeps how an invocation ended.
func (f *fire) end(a *attempt, result mapping.Result) {
	var answer struct {
		Message  string `json:"errorMessage"`
		Failures []struct {
			ID string `json:"itemIdentifier"`
		} `json:"batchItemFailures"`
	}
	_ = json.Unmarshal(result.Payload, &answer) // the mapping judges it
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case result.FunctionError != "":
		a.outcome = "failed: " + answer.Message
	case len(answer.Failures) > 0:
		a.outcome = fmt.Sprintf("%d reported, from %s on", len(answer.Failures), answer.Failures[0].ID)
	}
}

// No record of a stream is anything but base64 in its event, since Kinesis encodes it. So that there are such records nevertheless, the event of
// one with these bytes is given others.
const (
	notBase64Record = "to be spoilt in the event: " // 27 bytes, no padding
	notBase64Text   = "not base64: -_-_"
)

// spoilBase64 is the event with what is to be spoilt in it.
func spoilBase64(event []byte) []byte {
	return bytes.ReplaceAll(event, []byte(`"`+base64.StdEncoding.EncodeToString([]byte(notBase64Record))+`"`), []byte(`"`+notBase64Text+`"`))
}
