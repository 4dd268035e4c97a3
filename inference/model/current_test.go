package model_test

import (
	"sync"
	"sync/atomic"
	"testing"

	"github.com/skiff-ml/skiff/inference"
	"github.com/skiff-ml/skiff/inference/model"
)

// A modelFunc is a model.
type modelFunc func(b *inference.Batch) error

func (f modelFunc) Predict(b *inference.Batch) error { return f(b) }

// A batch under way keeps its model, and who replaces that knows when it is over:
// the model before can be closed.
func TestCurrent(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	var closed atomic.Bool
	current := model.NewCurrent(modelFunc(func(b *inference.Batch) error {
		entered <- struct{}{}
		<-release
		if b.RunID = "old"; closed.Load() {
			t.Error("a closed model predicts")
		}
		return nil
	}))
	predict := func(want string) {
		var b inference.Batch
		if err := current.Predict(&b); err != nil || b.RunID != want {
			t.Errorf("predicted by %s, want %s; %v", b.RunID, want, err)
		}
	}
	var running sync.WaitGroup
	for range 2 {
		running.Go(func() { predict("old") })
		<-entered
	}
	replaced := make(chan struct{})
	running.Go(func() {
		current.Replace(modelFunc(func(b *inference.Batch) error { b.RunID = "new"; return nil }))
		closed.Store(true)
		close(replaced)
	})
	release <- struct{}{} // one is over, one is not
	if closed.Load() {
		t.Error("replaced while a batch is under way")
	}
	close(release)
	<-replaced
	predict("new")
	running.Wait()
}
