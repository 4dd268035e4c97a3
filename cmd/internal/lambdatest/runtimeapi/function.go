package runtimeapi

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os/exec"
	"sync/atomic"
	"time"

	"github.com/skiff-ml/skiff/cmd/internal/lambdatest/process"
	"github.com/skiff-ml/skiff/inference/limits"
)

const (
	defaultTimeout = 15 * time.Second // the function's own setting, here as the worker is deployed
	stopGrace      = 2 * time.Second  // shutdown phase
)

// unhandled is the FunctionError of every failed invocation of a custom runtime.
const unhandled = "Unhandled"

// errEnvironmentGone means that an environment cannot take the invocation, and another can.
var errEnvironmentGone = errors.New("the execution environment is gone")

// Config is how to run a function.
type Config struct {
	// Command makes the command of the function's program, not started. It is called once for each environment; api is the value for
	// AWS_LAMBDA_RUNTIME_API, a host and port.
	Command func(api string) *exec.Cmd
	ARN     string        // of the function
	Timeout time.Duration // of an invocation; 0: 15 s
}

// Result is what came of an invocation.
type Result struct {
	RequestID     string
	Payload       []byte // the response, or Lambda's error document
	FunctionError string // "" or "Unhandled"
}

// Function is a function to invoke. Make it with New, stop it with Close.
type Function struct {
	config Config
	turn   chan struct{} // holds one token: whoever has it may use env
	env    *environment  // nil before the first start and after an end

	process atomic.Pointer[process.Process] // env's, for who has no turn
}

// New makes a function. Nothing is started yet.
func New(config Config) *Function {
	if config.Timeout == 0 {
		config.Timeout = defaultTimeout
	}
	f := &Function{config: config, turn: make(chan struct{}, 1)}
	f.turn <- struct{}{}
	return f
}

// Start starts the function's program and waits until it asks for its first invocation. Its error is a *StartError when the program is at fault.
func (f *Function) Start(ctx context.Context) error {
	if err := f.take(ctx); err != nil {
		return err
	}
	defer f.give()
	return f.ready(ctx)
}

// Invoke hands payload to the function and waits for what comes of it. An error of the function, a crash or a time-out is a Result; an error is
// that there is no environment (*StartError), that payload is over 6 MB, or ctx's.
func (f *Function) Invoke(ctx context.Context, payload []byte) (Result, error) {
	if len(payload) > limits.Request {
		return Result{}, fmt.Errorf("invoking with %d bytes: the limit is %d", len(payload), limits.Request)
	}
	if err := f.take(ctx); err != nil {
		return Result{}, err
	}
	defer f.give()
	for {
		if err := f.ready(ctx); err != nil {
			return Result{}, err
		}
		result, err := f.env.invoke(ctx, newInvocation(payload))
		if !errors.Is(err, errEnvironmentGone) {
			return result, err
		}
	}
}

// Close stops the program, gently first.
func (f *Function) Close() {
	<-f.turn
	defer f.give()
	if f.env != nil {
		f.env.stop(stopGrace)
		f.env = nil
	}
}

// Kill ends the program at once, as a crash does: an invocation under way fails. It reports whether there was one to end.
func (f *Function) Kill() bool {
	p := f.process.Load()
	if p == nil {
		return false
	}
	select {
	case <-p.Exited():
		return false
	default:
		p.Stop(0)
		return true
	}
}

// ready makes sure that there is a running environment.
func (f *Function) ready(ctx context.Context) error {
	if f.env != nil && f.env.running() {
		return nil
	}
	env, err := startEnvironment(ctx, f.config)
	f.env = env
	if env != nil {
		f.process.Store(env.process)
	}
	return err
}

func (f *Function) take(ctx context.Context) error {
	select {
	case <-f.turn:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (f *Function) give() { f.turn <- struct{}{} }

// newRequestID makes a version 4 UUID.
func newRequestID() string {
	var u [16]byte
	_, _ = rand.Read(u[:]) // never fails
	u[6] = u[6]&0x0f | 0x40
	u[8] = u[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", u[:4], u[4:6], u[6:8], u[8:10], u[10:])
}
