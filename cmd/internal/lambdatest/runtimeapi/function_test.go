package runtimeapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/skiff-ml/skiff/inference/limits"
)

// modeVariable makes the test binary the function: served by AWS's own runtime client, or ending before that.
const modeVariable = "RUNTIMEAPI_TEST_FUNCTION"

func TestMain(m *testing.M) {
	switch os.Getenv(modeVariable) {
	case "":
		os.Exit(m.Run()) //nolint:forbidigo // TestMain ends the process
	case "serve":
		lambda.Start(handle)
	case "exit":
		os.Exit(3) //nolint:forbidigo // that is the test
	case "init-error":
		url := "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + prefix + "init/error"
		res, err := http.Post(url, "application/json", strings.NewReader(`{"errorMessage":"no such model","errorType":"Init"}`)) //nolint:noctx // a test
		if err == nil {
			_ = res.Body.Close()
		}
		os.Exit(1) //nolint:forbidigo // that is the test
	}
}

// request says what the test function is to do.
type request struct {
	Do   string `json:"do"`
	Size int    `json:"size,omitempty"` // bytes of the response
}

// response says what the test function was given.
type response struct {
	RequestID string `json:"request_id"`
	ARN       string `json:"arn"`
	LeftMS    int64  `json:"left_ms"` // until the deadline
	PID       int    `json:"pid"`
	Filler    string `json:"filler,omitempty"`
}

func handle(ctx context.Context, r request) (response, error) {
	switch r.Do {
	case "fail":
		return response{}, errors.New("it failed")
	case "panic":
		panic("it panicked")
	case "exit":
		os.Exit(4) //nolint:forbidigo // that is the test
	case "hang":
		select {}
	}
	lc, _ := lambdacontext.FromContext(ctx)
	deadline, _ := ctx.Deadline()
	return response{
		RequestID: lc.AwsRequestID, ARN: lc.InvokedFunctionArn, LeftMS: time.Until(deadline).Milliseconds(),
		PID: os.Getpid(), Filler: strings.Repeat("x", r.Size),
	}, nil
}

func testFunction(t *testing.T, mode string, timeout time.Duration) *Function {
	t.Helper()
	f := New(Config{
		ARN:     "arn:aws:lambda:us-east-1:000000000000:function:test",
		Timeout: timeout,
		Command: func(api string) *exec.Cmd {
			cmd := exec.Command(os.Args[0]) //nolint:noctx // stopped by Close
			cmd.Env = append(os.Environ(), modeVariable+"="+mode, "AWS_LAMBDA_RUNTIME_API="+api, "_HANDLER=bootstrap")
			return cmd
		},
	})
	t.Cleanup(f.Close)
	return f
}

// invoke invokes f, expects a result with this error type ("" for success), and decodes the response.
func invoke(t *testing.T, f *Function, r request, errorType string) response {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	payload, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	result, err := f.Invoke(ctx, payload)
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		response
		ErrorType string `json:"errorType"`
	}
	if err := json.Unmarshal(result.Payload, &got); err != nil {
		t.Fatalf("payload %.200s: %v", result.Payload, err)
	}
	if got.ErrorType != errorType || (result.FunctionError != "") != (errorType != "") {
		t.Fatalf("%s: function error %q, payload %.200s, want type %q", r.Do, result.FunctionError, result.Payload, errorType)
	}
	if errorType == "" && got.RequestID != result.RequestID {
		t.Errorf("the function was told request %q, the result %q", got.RequestID, result.RequestID)
	}
	return got.response
}

func TestInvoke(t *testing.T) {
	f := testFunction(t, "serve", 5*time.Second)
	if err := f.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	a, b := invoke(t, f, request{}, ""), invoke(t, f, request{}, "")
	if uuid := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`); !uuid.MatchString(a.RequestID) || a.RequestID == b.RequestID {
		t.Errorf("request ids %q and %q", a.RequestID, b.RequestID)
	}
	if a.PID != b.PID {
		t.Error("a second invocation got a second process")
	}
	if a.ARN != "arn:aws:lambda:us-east-1:000000000000:function:test" || a.LeftMS <= 0 || a.LeftMS > 5000 {
		t.Errorf("the function was told %+v", a)
	}
}

func TestFailuresKeepTheEnvironment(t *testing.T) {
	f := testFunction(t, "serve", 10*time.Second)
	before := invoke(t, f, request{}, "")
	invoke(t, f, request{Do: "fail"}, "errorString")
	if after := invoke(t, f, request{}, ""); after.PID != before.PID {
		t.Error("an error of the handler ended the process")
	}
}

func TestEndsMakeANewEnvironment(t *testing.T) {
	for _, tt := range []struct{ do, errorType string }{
		{"exit", "Runtime.ExitError"},
		{"panic", "string"}, // aws-lambda-go reports the panic's type, then ends
		{"hang", "Sandbox.Timedout"},
	} {
		t.Run(tt.do, func(t *testing.T) {
			t.Parallel()
			f := testFunction(t, "serve", time.Second)
			before := invoke(t, f, request{}, "")
			invoke(t, f, request{Do: tt.do}, tt.errorType)
			if after := invoke(t, f, request{}, ""); after.PID == before.PID {
				t.Error("the process lived on")
			}
		})
	}
}

// A kill fails the invocation that is under way, and the next one is another process's.
func TestKill(t *testing.T) {
	f := testFunction(t, "serve", time.Minute)
	if f.Kill() {
		t.Error("killed before there was any")
	}
	before := invoke(t, f, request{}, "").PID
	killed, env := make(chan bool, 1), f.env
	underWay := func() bool {
		env.mu.Lock()
		defer env.mu.Unlock()
		return env.current != nil
	}
	go func() {
		for !underWay() {
			runtime.Gosched()
		}
		killed <- f.Kill()
	}()
	invoke(t, f, request{Do: "hang"}, "Runtime.ExitError")
	if !<-killed {
		t.Error("there was none to kill")
	}
	if f.Kill() {
		t.Error("killed twice")
	}
	if after := invoke(t, f, request{}, "").PID; after == before {
		t.Error("it lives on")
	}
}

func TestResponseTooLarge(t *testing.T) {
	f := testFunction(t, "serve", 20*time.Second)
	invoke(t, f, request{Size: 5 << 20}, "")
	invoke(t, f, request{Size: 6 << 20}, "Function.ResponseSizeTooLarge")
	invoke(t, f, request{}, "")
}

func TestRequestTooLarge(t *testing.T) {
	f := testFunction(t, "serve", time.Second)
	if _, err := f.Invoke(t.Context(), make([]byte, limits.Request+1)); err == nil {
		t.Error("no error")
	}
}

func TestOneInvocationAtATime(t *testing.T) {
	f := testFunction(t, "serve", 10*time.Second)
	pids := make([]int, 8)
	var wg sync.WaitGroup
	for i := range pids {
		wg.Go(func() { pids[i] = invoke(t, f, request{}, "").PID })
	}
	wg.Wait()
	for _, pid := range pids {
		if pid != pids[0] {
			t.Errorf("processes %v", pids)
		}
	}
}

func TestCancelledInvocation(t *testing.T) {
	f := testFunction(t, "serve", time.Second)
	invoke(t, f, request{}, "")
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := f.Invoke(ctx, []byte(`{"do":"hang"}`)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
	invoke(t, f, request{}, "") // in a new environment, once the old one has used up its time
}

func TestStartErrors(t *testing.T) {
	for _, tt := range []struct{ mode, want string }{
		{"exit", "the function did not start: exit status 3"},
		{"init-error", "the function did not start: exit status 1: no such model"},
	} {
		t.Run(tt.mode, func(t *testing.T) {
			t.Parallel()
			err := testFunction(t, tt.mode, time.Second).Start(t.Context())
			if start := (*StartError)(nil); !errors.As(err, &start) || err.Error() != tt.want {
				t.Errorf("error %v, want %s", err, tt.want)
			}
		})
	}
}

// TestAPI speaks to the API directly: what a well-behaved client never does.
func TestAPI(t *testing.T) {
	e := &environment{config: Config{Timeout: time.Minute}, asked: make(chan struct{}), invocations: make(chan *invocation)}
	do := func(method, path string, body []byte) (int, string) {
		t.Helper()
		w := httptest.NewRecorder()
		r, err := http.NewRequestWithContext(t.Context(), method, prefix+path, bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		e.routes().ServeHTTP(w, r)
		return w.Code, w.Body.String()
	}
	if status, body := do("POST", "invocation/unknown/response", nil); status != http.StatusBadRequest || !strings.Contains(body, "InvalidRequestID") {
		t.Errorf("an unknown request id: %d %s", status, body)
	}
	inv := newInvocation([]byte(`{}`))
	go func() { e.invocations <- inv }()
	if status, body := do("GET", "invocation/next", nil); status != http.StatusOK || body != `{}` {
		t.Errorf("next: %d %s", status, body)
	}
	if status, _ := do("POST", "invocation/"+inv.id+"/response", []byte(`1`)); status != http.StatusAccepted {
		t.Errorf("a response: %d", status)
	}
	if result := <-inv.done; string(result.Payload) != "1" || result.FunctionError != "" {
		t.Errorf("result %+v", result)
	}
	if status, _ := do("POST", "invocation/"+inv.id+"/response", []byte(`2`)); status != http.StatusBadRequest {
		t.Errorf("a second response: %d", status)
	}
}
