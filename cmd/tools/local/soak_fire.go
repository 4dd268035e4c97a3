package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/skiff-ml/skiff/cmd/internal/lambdatest/faults"
	"github.com/skiff-ml/skiff/cmd/internal/localstate"
)

// A fire is what the worker is under, and what it did in it: each invocation, each call it made, with its fault, and what the services took.
type fire struct {
	plans map[string]*plan

	mu           sync.Mutex
	environments map[string]*environment // by the access key of their calls
	attempts     []*attempt
	calls        []*call                   // that put something, in the order in which it was taken
	faults       map[string]map[string]int // of each kind, of each operation
}

// An environment is a process of the worker. Its calls are known by its access key, also those that arrive when it is gone.
type environment struct {
	attempt *attempt // the last
}

// An attempt is an invocation of the worker.
type attempt struct {
	number    int
	run       string  // that was served
	shard     string  // that its records are from
	ids       []int32 // of its records, in order
	faults    []string
	late      int  // calls whose answer nobody waited for any more, with no fault: a busy machine's, or those of a process that was killed
	outOfTime bool // it took all the time that it had, for a fault or since the machine is busy
	killed    bool
	outcome   string // "" where all of it was answered for
}

// A call put something.
type call struct {
	attempt *attempt   // nil outside any
	kind    *faultKind // nil for none
	late    bool       // nobody waited for the answer any more, with no fault
	ids     []int32    // of the records whose predictions were taken
	object  string     // that was written
}

func newFire(seed uint64, every int, late time.Duration) *fire {
	f := &fire{plans: map[string]*plan{}, environments: map[string]*environment{}, faults: map[string]map[string]int{}}
	for _, operation := range []string{putRecords, putObject, getObject} {
		f.plans[operation] = newPlan(seed, operation, every, late)
		f.faults[operation] = map[string]int{}
		for _, kind := range f.plans[operation].kinds {
			f.faults[operation][kind.name] = 0
		}
	}
	return f
}

// proxy is what stands before the services at a URL.
func (f *fire) proxy(server string) (*faults.Proxy, error) {
	p, err := faults.New(server)
	if err != nil {
		return nil, err
	}
	for operation, plan := range f.plans {
		p.Set(operation, func(n int) faults.Fault {
			kind := plan.of(n)
			return func(w http.ResponseWriter, r *http.Request, forward http.Handler) {
				f.answer(operation, kind, w, r, forward)
			}
		})
	}
	return p, nil
}

var credential = regexp.MustCompile(`Credential=([^/]+)/`)

// answer answers a call, with its fault if it has one, and keeps what it did.
func (f *fire) answer(operation string, kind *faultKind, w http.ResponseWriter, r *http.Request, forward http.Handler) {
	c := &call{kind: kind}
	f.mu.Lock()
	if key := credential.FindStringSubmatch(r.Header.Get("Authorization")); key != nil && f.environments[key[1]] != nil {
		c.attempt = f.environments[key[1]].attempt
	}
	if kind != nil {
		f.faults[operation][kind.name]++
		if c.attempt != nil {
			c.attempt.faults = append(c.attempt.faults, operation+" "+kind.name)
		}
	}
	f.mu.Unlock()
	observed := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { f.forward(operation, c, w, r, forward) })
	if kind != nil {
		kind.fault(w, r, observed)
		return
	}
	observed.ServeHTTP(w, r)
	if r.Context().Err() == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	c.late = true
	if c.attempt != nil {
		c.attempt.late++
	}
}

// forward passes a call on, whether or not who called still waits, and keeps what was taken.
func (f *fire) forward(operation string, c *call, w http.ResponseWriter, r *http.Request, forward http.Handler) {
	if operation == getObject {
		forward.ServeHTTP(w, r)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil { // who called is gone: nothing whole has come
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	whole := r.Clone(context.WithoutCancel(r.Context()))
	whole.Body = io.NopCloser(bytes.NewReader(body))
	answer := httptest.NewRecorder()
	forward.ServeHTTP(answer, whole)
	if answer.Code == http.StatusOK {
		f.mu.Lock()
		if operation == putRecords {
			c.ids = recordIDs(body)
		} else {
			c.object = strings.TrimPrefix(r.URL.Path, "/"+localstate.DeadLetterBucket+"/")
		}
		f.calls = append(f.calls, c)
		f.mu.Unlock()
	}
	maps.Copy(w.Header(), answer.Header())
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes()) // who called may be gone
}

// recordIDs are the rides of a PutRecords call: a prediction's key is its ride's id.
func recordIDs(body []byte) []int32 {
	var in struct {
		Records []struct{ PartitionKey string }
	}
	if json.Unmarshal(body, &in) != nil {
		return nil
	}
	ids := make([]int32, len(in.Records))
	for i, r := range in.Records {
		ids[i] = parseID(r.PartitionKey)
	}
	return ids
}

// parseID is the ride of a key, or -1.
func parseID(key string) int32 {
	id, err := strconv.ParseInt(key, 10, 32)
	if err != nil {
		return -1
	}
	return int32(id)
}

// begin is a new invocation with the records of an event.
func (f *fire) begin(run string, event []byte) (*attempt, error) {
	var e struct {
		Records []struct {
			Kinesis struct {
				PartitionKey string `json:"partitionKey"`
			} `json:"kinesis"`
			EventID string `json:"eventID"`
		} `json:"Records"` //nolint:tagliatelle // Lambda's
	}
	if err := json.Unmarshal(event, &e); err != nil {
		return nil, err
	}
	a := &attempt{run: run, ids: make([]int32, len(e.Records))}
	for i := range e.Records {
		a.ids[i] = parseID(e.Records[i].Kinesis.PartitionKey)
	}
	if len(e.Records) > 0 {
		a.shard, _, _ = strings.Cut(e.Records[0].EventID, ":")
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.attempts = append(f.attempts, a)
	a.number = len(f.attempts)
	return a, nil
}
