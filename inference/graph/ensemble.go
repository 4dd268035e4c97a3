package graph

import (
	"errors"
	"fmt"
	"math"
)

// The attributes of a TreeEnsemble of ai.onnx.ml 5, and their types.
//
//nolint:gochecknoglobals // a table
var ensembleAttributes = map[string]uint64{
	"n_targets": attrInt, "aggregate_function": attrInt, "post_transform": attrInt,
	"tree_roots": attrInts, "nodes_featureids": attrInts, "nodes_missing_value_tracks_true": attrInts,
	"nodes_truenodeids": attrInts, "nodes_trueleafs": attrInts,
	"nodes_falsenodeids": attrInts, "nodes_falseleafs": attrInts, "leaf_targetids": attrInts,
	"nodes_modes": attrTensor, "nodes_splits": attrTensor, "leaf_weights": attrTensor, "membership_values": attrTensor,
}

const (
	sum         = 1 // of aggregate_function
	noTransform = 0
	leq         = 0 // of nodes_modes
	eq          = 4
	member      = 6

	// maxDepth is how many questions may come one after another. A set is a
	// question for each member, which a "no" goes through, and a "yes" through two. onnxruntime calls
	// itself for each, and with some 11,500 is at the end of a stack of 8 MB.
	maxDepth = 1 << 13
)

// ensemble is a forest over a matrix.
func ensemble(c *call) ([]value, error) {
	v := c.in[0]
	if !v.matrix() || !v.kind.float() {
		return nil, errMixes
	}
	f, err := forestOf(c, v.kind)
	if err != nil {
		return nil, err
	}
	if err := f.check(v.dims[0]); err != nil {
		return nil, err
	}
	if err := f.walk(c.list("tree_roots")); err != nil {
		return nil, err
	}
	return []value{rowsOf(v.kind, f.targets)}, nil
}

// A forest has questions, of which each leads to another or to a leaf.
type forest struct {
	features, yes, yesLeaf, no, noLeaf, missing []int32
	modes                                       []byte
	splits                                      *tensor
	sets                                        []int // of the questions with one, in their order: members

	leaves  int
	target  []int32
	targets int
}

func forestOf(c *call, k kind) (*forest, error) {
	modes, splits, weights, members := c.tensor("nodes_modes"), c.tensor("nodes_splits"), c.tensor("leaf_weights"), c.tensor("membership_values")
	targets := c.int("n_targets", 0)
	switch {
	case c.int("aggregate_function", -1) != sum || c.int("post_transform", -1) != noTransform:
		return nil, errors.New("it does not add up its trees, and no more")
	case targets < 1 || targets > maxWidth:
		return nil, fmt.Errorf("it has %d targets", targets)
	case modes == nil || modes.kind != uint8s || splits == nil || splits.kind != k || weights == nil || weights.kind != k || members != nil && members.kind != k:
		return nil, errTypes
	}
	f := &forest{
		features: c.list("nodes_featureids"), yes: c.list("nodes_truenodeids"), yesLeaf: c.list("nodes_trueleafs"),
		no: c.list("nodes_falsenodeids"), noLeaf: c.list("nodes_falseleafs"), missing: c.list("nodes_missing_value_tracks_true"),
		modes: modes.data, splits: splits, leaves: weights.size(), target: c.list("leaf_targetids"), targets: int(targets),
	}
	size := 0
	for i := range sizeOf(members) {
		if m := members.real(i); !math.IsNaN(m) {
			if size++; math.IsInf(m, 0) {
				return nil, errors.New("a set has an infinite member")
			}
			continue
		}
		f.sets, size = append(f.sets, size), 0
	}
	if size > 0 {
		return nil, errors.New("its last set has no end")
	}
	return f, nil
}

func sizeOf(t *tensor) int {
	if t == nil {
		return 0
	}
	return t.size()
}

// check makes sure that all lists are of one length, and say what there is.
func (f *forest) check(width int) error {
	n := len(f.features)
	for _, list := range [][]int32{f.yes, f.yesLeaf, f.no, f.noLeaf} {
		if len(list) != n {
			return errors.New("it has more of one than of another for its questions")
		}
	}
	if len(f.modes) != n || f.splits.size() != n || f.missing != nil && len(f.missing) != n || len(f.target) != f.leaves {
		return errors.New("it has more of one than of another for its questions or leaves")
	}
	sets := 0
	for i := range n {
		switch f.modes[i] {
		case leq, eq:
		case member:
			sets++
		default:
			return fmt.Errorf("question %d is of mode %d", i, f.modes[i])
		}
		if int(f.features[i]) >= width {
			return fmt.Errorf("question %d is about column %d of %d", i, f.features[i], width)
		}
		if f.yesLeaf[i]|f.noLeaf[i] > 1 || f.missing != nil && f.missing[i] > 1 {
			return fmt.Errorf("question %d leads nowhere", i)
		}
	}
	if sets != len(f.sets) {
		return fmt.Errorf("it has %d sets for %d questions", len(f.sets), sets)
	}
	for _, t := range f.target {
		if int(t) >= f.targets {
			return fmt.Errorf("a leaf is for target %d of %d", t, f.targets)
		}
	}
	return nil
}

// walk makes sure that each root is that of a tree: no question is come to
// twice, and none is too deep.
func (f *forest) walk(roots []int32) error {
	if len(roots) == 0 {
		return errors.New("it has no trees")
	}
	sizes := make([]int32, len(f.modes)) // of a question's "no"
	set := 0
	for i, mode := range f.modes {
		if sizes[i] = 1; mode == member {
			sizes[i], set = int32(max(f.sets[set], 1)), set+1 //nolint:gosec // there are no more than bytes
		}
	}
	type step struct{ node, depth int32 }
	var stack []step
	seen := make([]bool, len(f.modes))
	push := func(node, depth int32) error {
		if int(node) >= len(seen) || seen[node] {
			return fmt.Errorf("question %d is not there, or of two trees", node)
		}
		seen[node] = true
		if depth+sizes[node] > maxDepth {
			return fmt.Errorf("a tree is more than %d questions deep", maxDepth)
		}
		stack = append(stack, step{node, depth})
		return nil
	}
	follow := func(to, leaf, depth int32) error { // depth questions come before it
		if leaf == 0 {
			return push(to, depth)
		}
		if int(to) >= f.leaves {
			return fmt.Errorf("there is no leaf %d", to)
		}
		return nil
	}
	for _, root := range roots {
		if err := push(root, 0); err != nil {
			return err
		}
		for len(stack) > 0 {
			at := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			if err := follow(f.yes[at.node], f.yesLeaf[at.node], at.depth+min(sizes[at.node], 2)); err != nil {
				return err
			}
			if err := follow(f.no[at.node], f.noLeaf[at.node], at.depth+sizes[at.node]); err != nil {
				return err
			}
		}
	}
	return nil
}
