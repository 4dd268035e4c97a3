package model

import (
	"sync"

	"github.com/skiff-ml/skiff/inference"
)

// A Current is the model that serves now. It is replaced as one value, between
// batches: a batch is one model's from its first record to its last.
type Current struct {
	mu    sync.RWMutex // held for reading while a batch is predicted
	model inference.Model
}

var _ inference.Model = (*Current)(nil)

// NewCurrent returns one that begins with m.
func NewCurrent(m inference.Model) *Current { return &Current{model: m} }

// Predict implements [inference.Model].
func (c *Current) Predict(b *inference.Batch) error {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.model.Predict(b)
}

// Replace has later batches predicted by next. It waits for those under way:
// when it returns, nobody uses the model before any more.
func (c *Current) Replace(next inference.Model) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.model = next
}
