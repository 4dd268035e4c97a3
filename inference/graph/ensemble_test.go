package graph_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/skiff-ml/skiff/inference/graph"
	. "github.com/skiff-ml/skiff/inference/graph/graphtest"
)

func fieldNumber(n int) protowire.Number { return protowire.Number(n) }

// trees are a TreeEnsemble's attributes.
type trees struct {
	sum, targets                                      int64
	roots, features, yes, yesLeaf, no, noLeaf, target []int64
	modes                                             []byte
	splits, leaves, members                           []float64
}

// forest is one over X into y: one tree of two questions, the second of a set,
// and three leaves.
func forest(change func(*trees)) Field {
	f := &trees{
		sum: 1, targets: 1, roots: []int64{0}, features: []int64{1, 0}, yes: []int64{1, 0}, yesLeaf: []int64{0, 1}, no: []int64{2, 1},
		noLeaf: []int64{1, 1}, target: []int64{0, 0, 0}, modes: []byte{0, 6}, splits: []float64{3, 0}, leaves: []float64{1, 2, 3},
		members: []float64{1, 2, math.NaN()},
	}
	change(f)
	reals := func(name string, values []float64) Field {
		return TensorAttribute(name, Reals(name, values, uint64(len(values))))
	}
	return Node("ai.onnx.ml:TreeEnsemble", []string{"X"}, []string{"y"},
		Int("n_targets", f.targets), Int("aggregate_function", f.sum), Int("post_transform", 0),
		Ints("tree_roots", f.roots...), Ints("nodes_featureids", f.features...),
		Ints("nodes_truenodeids", f.yes...), Ints("nodes_trueleafs", f.yesLeaf...),
		Ints("nodes_falsenodeids", f.no...), Ints("nodes_falseleafs", f.noLeaf...), Ints("leaf_targetids", f.target...),
		TensorAttribute("nodes_modes", Tensor("m", Uint8, f.modes, uint64(len(f.modes)))),
		reals("nodes_splits", f.splits), reals("leaf_weights", f.leaves), reals("membership_values", f.members))
}

func TestCheckRefusesForests(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*trees)
		want   string
	}{
		"a circle":              {func(f *trees) { f.noLeaf[1], f.no[1] = 0, 0 }, "not there, or of two trees"},
		"a question of itself":  {func(f *trees) { f.yes[0] = 0 }, "not there, or of two trees"},
		"a root of two":         {func(f *trees) { f.roots = []int64{0, 1} }, "not there, or of two trees"},
		"a root nowhere":        {func(f *trees) { f.roots = []int64{7} }, "not there, or of two trees"},
		"a negative root":       {func(f *trees) { f.roots = []int64{-1} }, "-1 is none of its numbers"},
		"no roots":              {func(f *trees) { f.roots = nil }, "no trees"},
		"a leaf nowhere":        {func(f *trees) { f.no[0] = 3 }, "there is no leaf 3"},
		"a column nowhere":      {func(f *trees) { f.features[0] = 2 }, "about column 2 of 2"},
		"a column of overflow":  {func(f *trees) { f.features[0] = 1 << 32 }, "is none of its numbers"},
		"a target nowhere":      {func(f *trees) { f.target[2] = 1 }, "for target 1 of 1"},
		"no targets":            {func(f *trees) { f.targets = 0 }, "0 targets"},
		"targets by the dozen":  {func(f *trees) { f.targets = 1 << 40 }, "targets"},
		"another mode":          {func(f *trees) { f.modes[0] = 3 }, "mode 3"},
		"the mean":              {func(f *trees) { f.sum = 0 }, "does not add up"},
		"a split too few":       {func(f *trees) { f.splits = f.splits[:1] }, "more of one than of another"},
		"an answer too few":     {func(f *trees) { f.yes = f.yes[:1] }, "more of one than of another"},
		"an answer that is two": {func(f *trees) { f.yesLeaf[0] = 2 }, "leads nowhere"},
		"a leaf's target more":  {func(f *trees) { f.target = append(f.target, 0) }, "more of one than of another"},
		"a set too few":         {func(f *trees) { f.members = nil }, "0 sets for 1 questions"},
		"a set without end":     {func(f *trees) { f.members = f.members[:2] }, "its last set has no end"},
		"an infinite member":    {func(f *trees) { f.members[0] = math.Inf(1) }, "infinite member"},
		"a tree too deep":       {func(f *trees) { f.members = append(make([]float64, 1<<14), math.NaN()) }, "questions deep"},
	} {
		err := check(Model(2, 1, metadata, forest(test.change)))
		if !errors.Is(err, graph.ErrForeign) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %q", name, err, test.want)
		}
	}
}
