package ort_test

import (
	"math"
	"testing"

	"github.com/skiff-ml/skiff/inference/bundle"
	. "github.com/skiff-ml/skiff/inference/graph/graphtest"
	"github.com/skiff-ml/skiff/inference/ort"
)

// deepest is graph's bound on the questions one after another.
const deepest = 1 << 13

// chain is a tree of n questions one after another, which come by each "yes" or
// by each "no"; those of a set have members each.
func chain(n, members int, byYes bool) Field {
	var features, yes, no, ones, yesLeaf, targets []int64
	var splits, leaves, sets []float64
	var modes []byte
	for i := range n {
		features, yes, no = append(features, 1), append(yes, int64(i+1)), append(no, int64(i))
		ones, yesLeaf, targets = append(ones, 1), append(yesLeaf, 0), append(targets, 0)
		splits, leaves = append(splits, float64(-i)), append(leaves, float64(i))
		if members == 0 {
			modes = append(modes, 0)
			continue
		}
		modes = append(modes, 6)
		for j := range members {
			sets = append(sets, float64(3*j))
		}
		sets = append(sets, math.NaN())
	}
	yesLeaf[n-1] = 1
	if !byYes {
		yes, no, ones, yesLeaf = no, yes, yesLeaf, ones
	}
	leaves, targets = append(leaves, -1), append(targets, 0)
	reals := func(name string, values []float64) Field {
		return TensorAttribute(name, Reals(name, values, uint64(len(values))))
	}
	fields := []Field{
		Int("n_targets", 1), Int("aggregate_function", 1), Int("post_transform", 0), Ints("tree_roots", 0), Ints("nodes_featureids", features...),
		Ints("nodes_truenodeids", yes...), Ints("nodes_trueleafs", yesLeaf...), Ints("nodes_falsenodeids", no...), Ints("nodes_falseleafs", ones...),
		Ints("leaf_targetids", targets...), TensorAttribute("nodes_modes", Tensor("m", Uint8, modes, uint64(n))),
		reals("nodes_splits", splits), reals("leaf_weights", leaves),
	}
	if members > 0 {
		fields = append(fields, reals("membership_values", sets))
	}
	return Node("ai.onnx.ml:TreeEnsemble", []string{"X"}, []string{"y"}, fields...)
}

// What the graph's reader lets pass at its bounds, onnxruntime survives.
func TestLoadAtTheBounds(t *testing.T) {
	if err := ort.Initialize(library(t)); err != nil {
		t.Fatal(err)
	}
	m := bundle.Manifest{
		Header: bundle.Header{RunID: "run1", Format: 3}, Fingerprint: "print",
		Columns: make([]bundle.Column, 2), Outputs: []bundle.Output{{Width: 1}},
	}
	metadata := map[string]string{"run_id": "run1", "format": "3", "columns": "print"}
	for name, forest := range map[string]Field{
		"deep by yes": chain(deepest, 0, true), "deep by no": chain(deepest, 0, false), "a set": chain(1, deepest, true),
		"sets by yes": chain(deepest/2-51, 100, true), "sets by no": chain(deepest/16, 16, false), "pairs by yes": chain(deepest/2, 2, true), "pairs by no": chain(deepest/2, 2, false),
	} {
		s, err := ort.Load(&bundle.Bundle{Manifest: m, Model: Model(2, 1, metadata, forest).Encode()})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		x, y := []float64{0, -2.5, 0, -math.MaxFloat64, 0, 3}, make([]float64, 3)
		if err := s.Score(x, y); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if y[0] == y[1] && y[1] == y[2] {
			t.Errorf("%s: got %v", name, y)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}
