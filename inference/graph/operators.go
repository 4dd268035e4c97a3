package graph

import "github.com/skiff-ml/skiff/inference/bundle"

// A call is a node whose inputs are known.
type call struct {
	*node
	in      []value
	columns []bundle.Column
}

// int returns an integer attribute.
func (c *call) int(name string, otherwise int64) int64 {
	if a := c.attribute(name); a != nil {
		return a.value
	}
	return otherwise
}

// list returns a list of integers.
func (c *call) list(name string) []int32 {
	if a := c.attribute(name); a != nil {
		return a.list
	}
	return nil
}

// tensor returns a constant, or nil.
func (c *call) tensor(name string) *tensor {
	if a := c.attribute(name); a != nil {
		return a.tensor
	}
	return nil
}

// An operator is one that the converter writes: how many inputs it has, and its
// attributes with their types. infer returns what it makes, or why it is
// refused.
type operator struct {
	least, most int
	attributes  map[string]uint64
	infer       func(*call) ([]value, error)
}

func ints(names ...string) map[string]uint64 {
	types := map[string]uint64{}
	for _, name := range names {
		types[name] = attrInt
	}
	return types
}

// operators are all that the converter writes, by domain and name;
// operators.json, which its tests compare with what they see it write, names
// them as well.
//
//nolint:gochecknoglobals // a table
var operators = map[string]operator{
	":Abs": {1, 1, nil, float}, ":Ceil": {1, 1, nil, float}, ":Cos": {1, 1, nil, float},
	":Exp": {1, 1, nil, float}, ":Floor": {1, 1, nil, float}, ":Log": {1, 1, nil, float},
	":Neg": {1, 1, nil, float}, ":Reciprocal": {1, 1, nil, float}, ":Round": {1, 1, nil, float},
	":Sign": {1, 1, nil, float}, ":Sin": {1, 1, nil, float}, ":Sqrt": {1, 1, nil, float}, ":Tanh": {1, 1, nil, float},
	":Identity": {1, 1, nil, identity}, ":Cast": {1, 1, ints("to"), cast},
	":IsNaN": {1, 1, nil, isNaN}, ":Not": {1, 1, nil, logic},

	":Add": {2, 2, nil, arithmetic}, ":Sub": {2, 2, nil, arithmetic}, ":Mul": {2, 2, nil, arithmetic},
	":Div": {2, 2, nil, divide}, ":Mod": {2, 2, ints("fmod"), modulo}, ":Pow": {2, 2, nil, floats},
	":Max": {1, maxInputs, nil, arithmetic}, ":Clip": {3, 3, nil, clip},
	":Equal": {2, 2, nil, compare}, ":Greater": {2, 2, nil, compare}, ":GreaterOrEqual": {2, 2, nil, compare},
	":Less": {2, 2, nil, compare}, ":LessOrEqual": {2, 2, nil, compare},
	":And": {2, 2, nil, logic}, ":Or": {2, 2, nil, logic}, ":Where": {3, 3, nil, where},

	":Concat": {1, maxInputs, ints("axis"), concat}, ":Split": {1, 1, ints("axis", "num_outputs"), split},
	":Reshape": {2, 2, nil, reshape}, ":Shape": {1, 1, ints("start", "end"), shape}, ":Expand": {2, 2, nil, expand},
	":Gather": {2, 2, ints("axis"), gather}, ":GatherElements": {2, 2, ints("axis"), gatherElements},

	":ArgMax":    {1, 1, ints("axis", "keepdims", "select_last_index"), argMax},
	":CumSum":    {2, 2, nil, cumSum},
	":MatMul":    {2, 2, nil, matMul},
	":ReduceMax": {2, 2, ints("keepdims"), reduce}, ":ReduceSum": {2, 2, ints("keepdims"), reduce},
	":TopK": {2, 2, ints("axis", "largest", "sorted"), topK},

	mlDomain + ":TreeEnsemble": {1, 1, ensembleAttributes, ensemble},
	skiffDomain + ":Trees":     {1, 1, treesAttributes, trees},
}

// maxInputs is the most inputs of an operator that takes any number: a column
// of X each.
const maxInputs = maxWidth
