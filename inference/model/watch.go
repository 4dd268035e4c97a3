package model

import (
	"github.com/skiff-ml/skiff/inference"
	"github.com/skiff-ml/skiff/inference/drift"
)

// Watch has the model count what it is given and what it predicts. It comes before
// the first batch.
func (m *Model) Watch(c *drift.Counter) { m.drift = c }

// count counts a batch that is predicted.
func (m *Model) count(b *inference.Batch, s *scratch) {
	m.drift.Add(&drift.Batch{
		X: s.x, Numbers: s.numbers, Labels: s.labels, Columns: b.Columns, Rejected: len(b.Items) - len(s.rows),
	})
}
