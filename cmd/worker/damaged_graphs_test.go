package main

import (
	"encoding/binary"
	"fmt"

	. "github.com/skiff-ml/skiff/inference/graph/graphtest"
)

// onRow are nodes that make v, [rows], and n, [rows, 1], of the second column.
func onRow(more ...Field) []Field {
	return append([]Field{
		Indices("d_one", []int64{1}, 1), Indices("d_flat", []int64{-1}, 1), Indices("d_tall", []int64{-1, 1}, 2), Reals("d_c", []float64{3}),
		node(":Gather", "X d_one", "d_n", Int("axis", 1)), node(":Reshape", "d_n d_flat", "d_v"),
	}, more...)
}

// body is a graph inside a node.
func body(name string, nodes ...Field) Field {
	return Sub(5, Text(1, name), Sub(6, append(nodes, Text(2, "body"))...), Number(20, 5))
}

// renamed has the graph's y made of something else than it was.
func renamed(nodes ...Field) func(copied) error { return instead(onRow(nodes...)...) }

// input and output are declared in another way.
func declared(number int32, values ...Field) func(copied) error {
	return func(c copied) error {
		return c.graph(func(g Message) Message {
			for i := range g {
				if int32(g[i].Number) == number {
					g = append(g[:i:i], g[i+1:]...)
					return append(g, values...)
				}
			}
			panic("it is not there")
		})
	}
}

func added(fields ...Field) func(copied) error {
	return func(c copied) error { return c.model(func(m Message) Message { return append(m, fields...) }) }
}

// changedWeights has each weight of the graph a little off, which no digest says.
func changedWeights(c copied) error {
	return c.graph(func(g Message) Message {
		for i := range g {
			if g[i].Number != GraphTensor {
				continue
			}
			tensor, err := Parse(g[i].Bytes)
			if err != nil {
				panic(err)
			}
			for j := range tensor {
				if raw := tensor[j].Bytes; tensor[j].Number == 9 && len(raw) > 8 {
					for at := 0; at < len(raw); at += 8 {
						binary.LittleEndian.PutUint64(raw[at:], binary.LittleEndian.Uint64(raw[at:])+1)
					}
				}
			}
			g[i] = Sub(GraphTensor, tensor...)
		}
		return g
	})
}

func damagedGraphs() []damage {
	external := Sub(GraphTensor, Text(8, "d_k"), Number(1, 8), Number(2, Float64),
		Sub(13, Text(1, "location"), Text(2, "../../../etc/passwd")), Number(14, 1))
	const mixes = "depend on other rows"
	return []damage{
		{"weights a bit off", changedWeights, "is not equal to its golden"},
		{
			"a loop without end", renamed(Tensor("d_true", 9, []byte{1}), Indices("d_times", []int64{1 << 62}),
				node(":Loop", "d_times d_true d_n", "y", body("body", node(":Identity", "c", "d"), node(":Identity", "a", "b")))),
			"Loop: attribute body",
		},
		{"a branch", renamed(Tensor("d_true", 9, []byte{1}), node(":If", "d_true", "y", body("then_branch"), body("else_branch"))), "If: attribute then_branch"},
		{"a scan", renamed(node(":Scan", "X", "y", body("body"), Int("num_scan_inputs", 1))), "Scan: attribute body"},
		{"a function", added(Sub(25, Text(1, "f"), Text(4, "Identity"))), "field 25 of the model"},
		{"an operator of anybody's", renamed(node("evil:Run", "d_n", "y")), "Run: the converter writes no such operator"},
		{"an operator of onnxruntime's", renamed(node("com.microsoft:Gelu", "d_n", "y")), "Gelu: the converter writes no such operator"},
		{"another opset", added(Sub(ModelOpset, Text(1, "com.microsoft"), Number(2, 1))), `opset 1 of the domain "com.microsoft"`},
		{"a file beside it", beside(external), "field 13 of a constant"},
		{"a terabyte that is not there", beside(Tensor("d_k", Float64, []byte{}, 1<<30, 1<<7)), "and has 0 bytes"},
		{"a constant too short", beside(Tensor("d_k", Float64, make([]byte, 8), 2)), "and has 8 bytes"},
		{"a constant of another type", beside(Sub(GraphTensor, Number(1, 1), Number(2, Float32), Text(8, "d_k"), Sub(4, Number(1, 0)))), "field 4 of a constant"},
		{"a sparse constant", beside(Sub(15, Number(2, 1))), "field 15 of the graph"},
		{"text", beside(Tensor("d_k", String, []byte("text"), 1)), "a type that is none"},
		{
			"a terabyte of one number", renamed(Indices("d_size", []int64{1 << 37, 1}, 2), node(":ConstantOfShape", "d_size", "d_huge"), node(":Identity", "d_n", "y")),
			"ConstantOfShape: the converter writes no such operator",
		},
		{"gigabytes of one number", renamed(Indices("d_size", []int64{1 << 32}, 1), node(":Expand", "d_c d_size", "d_huge")), "more than a number for each row"},
		{"gigabytes of copies", renamed(Indices("d_size", []int64{1, 1 << 32}, 2), node(":Tile", "d_n d_size", "d_huge")), "Tile: the converter writes no such"},
		{"columns doubled forty times", renamed(doubledColumns(40)...), "the shapes do not go together"},
		{"fifty thousand nodes", renamed(manyNodes(50_000)...), "50002 nodes, and 32768 are the most"},
		{"a batch of one", declared(GraphInput, Value(GraphInput, "X", Float64, 1, 2)), "has not any number of rows"},
		{"predictions for one", declared(GraphOutput, Value(GraphOutput, "y", Float64, 1, 1)), "has not any number of rows"},
		{"an input of float32", declared(GraphInput, Value(GraphInput, "X", Float32, "rows", 2)), "its input is float32"},
		{"an input of three columns", declared(GraphInput, Value(GraphInput, "X", Float64, "rows", 3)), "has not the manifest's 2 columns"},
		{"an input of another name", declared(GraphInput, Value(GraphInput, "Z", Float64, "rows", 2)), "has not the one input X"},
		{"two inputs", beside(Value(GraphInput, "Z", Float64, "rows", 2)), "has not the one input X"},
		{"an output of two columns", declared(GraphOutput, Value(GraphOutput, "y", Float64, "rows", 2)), "has not the manifest's 1 columns"},
		{"two outputs", beside(Value(GraphOutput, "z", Float64, "rows", 2)), "has not the one output y"},
		{"a constant input", beside(Reals("X", []float64{1, 2}, 1, 2)), `two values have the name "X"`},
		{"a constant prediction", instead(Reals("d_k", []float64{1}, 1, 1), node(":Identity", "d_k", "y")), "does not compute y"},
		{"the mean of the batch", renamed(node(":ReduceMean", "d_n", "y", Int("keepdims", 1))), "ReduceMean: the converter writes no such"},
		{"the sum of the batch", renamed(Indices("d_k", []int64{0}, 1), node(":ReduceSum", "d_n d_k", "d_s"), node(":Add", "d_n d_s", "y")), mixes},
		{"the sum of the rows before", renamed(Indices("d_k", []int64{0}), node(":CumSum", "d_n d_k", "y")), mixes},
		{"the first row's", renamed(Indices("d_k", []int64{0}), node(":Gather", "d_n d_k", "d_f", Int("axis", 0)), node(":Add", "d_n d_f", "y")), mixes},
		{"a row of rows", renamed(node(":Transpose", "X", "d_x")), "Transpose: the converter writes no such"},
		{"columns become rows", renamed(node(":Reshape", "X d_tall", "y")), mixes},
		{"rows beside rows", renamed(node(":Add", "d_n d_v", "d_m")), mixes},
		{"rows under rows", renamed(node(":Concat", "d_n d_n", "d_m", Int("axis", 0))), mixes},
		{"a batch of two", renamed(Reals("d_k", []float64{1, 2}, 2, 1), node(":Add", "d_n d_k", "y")), mixes},
		{"chance", renamed(node(":RandomNormalLike", "d_n", "y")), "RandomNormalLike: the converter writes no such"},
		{"a forest in a circle", renamed(node("ai.onnx.ml:TreeEnsemble", "X", "y", Int("n_targets", 1), Int("aggregate_function", 1), Int("post_transform", 0),
			Ints("tree_roots", 0), Ints("nodes_featureids", 0), Ints("nodes_truenodeids", 0), Ints("nodes_trueleafs", 0),
			Ints("nodes_falsenodeids", 0), Ints("nodes_falseleafs", 0), Ints("leaf_targetids", 0),
			TensorAttribute("nodes_modes", Tensor("m", Uint8, []byte{0}, 1)), TensorAttribute("nodes_splits", Reals("s", []float64{0}, 1)),
			TensorAttribute("leaf_weights", Reals("w", []float64{0}, 1)))), "is not there, or of two trees"},
		{"a forest of a column that is not there", renamed(node("ai.onnx.ml:TreeEnsemble", "X", "y", Int("n_targets", 1), Int("aggregate_function", 1), Int("post_transform", 0),
			Ints("tree_roots", 0), Ints("nodes_featureids", 1<<20), Ints("nodes_truenodeids", 0), Ints("nodes_trueleafs", 1),
			Ints("nodes_falsenodeids", 0), Ints("nodes_falseleafs", 1), Ints("leaf_targetids", 0),
			TensorAttribute("nodes_modes", Tensor("m", Uint8, []byte{0}, 1)), TensorAttribute("nodes_splits", Reals("s", []float64{0}, 1)),
			TensorAttribute("leaf_weights", Reals("w", []float64{0}, 1)))), "about column 1048576 of 2"},
		{"a division by 0", renamed(Tensor("d_zero", Int32, make([]byte, 4)), node(":Cast", "d_v", "d_i", Int("to", Int32)), node(":Div", "d_i d_zero", "d_k")), "may be 0"},
		{"the graph twice", added(Sub(ModelGraph, Text(2, "g"))), "field 7 of the model is there twice"},
		{"nodes before what they need", renamed(node(":Neg", "d_later", "y"), node(":Neg", "d_n", "d_later")), "nothing before it is called"},
		{
			"what onnxruntime does not load", renamed(node(":IsNaN", "d_n", "d_b"), node(":ReduceSum", "d_b d_one", "d_s"), node(":Cast", "d_s", "y", Int("to", Float64))),
			"invalid model. Type Error: ",
		},
		{"what onnxruntime does not run", renamed(Reals("d_t", []float64{1, 2}, 2), node(":Cast", "d_v", "d_i", Int("to", Int64)),
			node(":GatherElements", "d_t d_i", "d_g"), node(":Reshape", "d_g d_tall", "y")), "scoring the goldens"},
		{"no nodes", instead(), "does not compute y"},
		{"another graph altogether", func(c copied) error {
			return c.model(func(Message) Message {
				return Model(2, 1, map[string]string{}, onRow(node(":Identity", "d_n", "y"))...)
			})
		}, "was altered: its model was made with"},
	}
}

func doubledColumns(times int) []Field {
	nodes, last := []Field{}, "d_n"
	for range times {
		next := last + "d"
		nodes, last = append(nodes, node(":Concat", last+" "+last, next, Int("axis", 1))), next
	}
	return nodes
}

func manyNodes(times int) []Field {
	nodes := make([]Field, times)
	for i := range nodes {
		nodes[i] = node(":Neg", "d_n", "d_n"+string(rune('a'+i%26)))
	}
	return nodes
}

// longChain are so many nodes, one after another.
func longChain(times int) []Field {
	nodes, last := []Field{}, "d_n"
	for i := range times {
		next := fmt.Sprintf("d_%d", i)
		nodes, last = append(nodes, node(":Neg", last, next)), next
	}
	return append(nodes, node(":Identity", last, "y"))
}
