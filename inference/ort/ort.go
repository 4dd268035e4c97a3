// Package ort runs a bundle's model with onnxruntime, on CPU. It is the
// only package that knows onnxruntime.
package ort

import (
	"errors"
	"fmt"
	"os"
	"sync"

	ort "github.com/yalue/onnxruntime_go"

	"github.com/skiff-ml/skiff/inference/bundle"
	"github.com/skiff-ml/skiff/inference/graph"
	"github.com/skiff-ml/skiff/inference/model"
)

// A Session is a model loaded into onnxruntime. One thread runs it: a Lambda
// function of less than 1,769 MB has no more than one processor, and sums come
// out in one order.
type Session struct {
	mu      sync.Mutex
	session *ort.DynamicAdvancedSession
	fast    bool        // whether it is the bundle's faster graph
	columns int         // of X
	width   int         // of y
	rows    int         // that onnxruntime gets at once, at most
	in, out []ort.Value // the tensors of the last call's rows, over memory of their own
	x, y    *ort.Tensor[float64]
}

// mostNumbers is how many numbers, 64 MB of them, a value in the graph may have.
const mostNumbers = 8 << 20

var _ model.Scorer = (*Session)(nil)

var environment struct { //nolint:gochecknoglobals // onnxruntime has one environment a process, which this guards
	sync.Mutex
	library string // that it is loaded from
}

// Load loads the bundle's standard graph, once package graph has nothing
// against it. [Initialize] comes first. onnxruntime logs nothing by itself: what
// it has to say of a failure is in the error as well.
func Load(b *bundle.Bundle) (*Session, error) {
	return load(b, bundle.ModelFile, b.Model, NoOperators)
}

// load loads one of the bundle's graphs, which is in a file of it, with the
// operators of a library.
func load(b *bundle.Bundle, file string, onnx []byte, operators string) (*Session, error) {
	widest, err := graph.Check(file, onnx, &b.Manifest)
	if err != nil {
		return nil, err
	}
	options, err := ort.NewSessionOptions()
	if err != nil {
		return nil, fmt.Errorf("making session options: %w", err)
	}
	defer options.Destroy() //nolint:errcheck // frees memory, fails only when freed twice
	err = errors.Join(
		options.SetIntraOpNumThreads(1),
		options.SetInterOpNumThreads(1),
		options.SetLogSeverityLevel(ort.LoggingLevelFatal))
	if err != nil {
		return nil, fmt.Errorf("setting session options: %w", err)
	}
	if operators != NoOperators {
		if err := register(operators, options); err != nil {
			return nil, fmt.Errorf("registering skiff's operators: %w", err)
		}
	}
	session, err := ort.NewDynamicAdvancedSessionWithONNXData(onnx, []string{"X"}, []string{"y"}, options)
	if err != nil {
		return nil, fmt.Errorf("loading the model of run %s: %w: %w", b.Manifest.RunID, bundle.ErrInvalid, err)
	}
	return &Session{session: session, columns: len(b.Manifest.Columns), width: b.Manifest.Width(), rows: max(mostNumbers/widest, 1)}, nil
}

// Version returns the version of the onnxruntime in use, such as 1.32.0.
func Version() string { return ort.GetVersion() }

// noTelemetry is what keeps onnxruntime from talking to its makers, which it does
// from version 1.29 on, with a device's id and a database in $HOME/.cache. It has
// to stand in the environment before onnxruntime is initialised: the API's
// DisableTelemetryEvents comes too late (onnxruntime#27379).
const noTelemetry = "ORT_DISABLE_TELEMETRY"

// Initialize loads onnxruntime itself, from the path of its shared library.
// A process has one: further calls do nothing.
func Initialize(library string) error {
	environment.Lock()
	defer environment.Unlock()
	if ort.IsInitialized() {
		return nil
	}
	if _, err := os.Stat(library); err != nil {
		return fmt.Errorf("%w: %w", model.ErrRuntime, err)
	}
	if err := os.Setenv(noTelemetry, "1"); err != nil {
		return fmt.Errorf("%w: %w", model.ErrRuntime, err)
	}
	ort.SetSharedLibraryPath(library)
	if err := ort.InitializeEnvironment(ort.WithLogLevelFatal()); err != nil {
		return fmt.Errorf("%w: %w", model.ErrRuntime, err)
	}
	environment.library = library
	return nil
}

var errClosed = errors.New("the session is closed")

// Score implements [model.Scorer]. Concurrent calls run one after the
// other: they would share one processor anyway.
func (s *Session) Score(x, y []float64) error {
	if len(y) == 0 {
		return nil
	}
	rows := len(y) / s.width
	if len(y) != rows*s.width || len(x) != rows*s.columns {
		return fmt.Errorf("scoring %d rows of %d columns into %d outputs: there are %d values for %d", rows, s.columns, s.width, len(x), len(y))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.session == nil {
		return errClosed
	}
	for ; rows > 0; rows -= s.rows {
		n := min(rows, s.rows)
		if err := s.score(x[:n*s.columns], y[:n*s.width], n); err != nil {
			return err
		}
		x, y = x[n*s.columns:], y[n*s.width:]
	}
	return nil
}

// score is Score of n rows, which onnxruntime gets at once.
func (s *Session) score(x, y []float64, n int) error {
	if err := s.resize(n); err != nil {
		return err
	}
	copy(s.x.GetData(), x)
	if err := s.session.Run(s.in, s.out); err != nil {
		return err
	}
	copy(y, s.y.GetData())
	return nil
}

// resize makes tensors for n rows, unless the last call had as many.
func (s *Session) resize(n int) error {
	if s.y != nil && len(s.y.GetData()) == n*s.width {
		return nil
	}
	if err := s.free(); err != nil {
		return err
	}
	x, err := ort.NewEmptyTensor[float64](ort.NewShape(int64(n), int64(s.columns)))
	if err != nil {
		return fmt.Errorf("making a tensor of %d rows: %w", n, err)
	}
	y, err := ort.NewEmptyTensor[float64](ort.NewShape(int64(n), int64(s.width)))
	if err != nil {
		return errors.Join(fmt.Errorf("making a tensor of %d rows: %w", n, err), x.Destroy())
	}
	s.x, s.y = x, y
	s.in, s.out = []ort.Value{x}, []ort.Value{y}
	return nil
}

func (s *Session) free() error {
	if s.y == nil {
		return nil
	}
	err := errors.Join(s.x.Destroy(), s.y.Destroy())
	s.x, s.y, s.in, s.out = nil, nil, nil, nil
	return err
}

// Close frees the model. Calls of Score after it fail.
func (s *Session) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.session == nil {
		return nil
	}
	err := errors.Join(s.free(), s.session.Destroy())
	s.session = nil
	return err
}
