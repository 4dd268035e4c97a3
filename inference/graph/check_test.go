package graph_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/skiff-ml/skiff/inference/bundle"
	"github.com/skiff-ml/skiff/inference/graph"
	. "github.com/skiff-ml/skiff/inference/graph/graphtest"
	"github.com/skiff-ml/skiff/inference/internal/fixture"
)

// manifest is of a category of two words, a number, and one score.
func manifest() *bundle.Manifest {
	m := fixture.Manifest()
	m.Fingerprint = "print"
	return m
}

var metadata = map[string]string{"run_id": "run1", "format": "3", "columns": "print"}

func check(m Message) error {
	_, err := graph.Check(bundle.ModelFile, m.Encode(), manifest())
	return err
}

// names are words.
func names(s string) []string { return strings.Fields(s) }

// node is a node from words: its inputs, and its outputs.
func node(operator, in, out string, attributes ...Field) Field {
	return Node(operator, names(in), names(out), attributes...)
}

// number makes n, the second column [rows, 1], and v, the same as [rows].
func number(more ...Field) []Field {
	return append([]Field{
		Indices("one", []int64{1}, 1), Indices("flat", []int64{-1}, 1), Indices("tall", []int64{-1, 1}, 2),
		Reals("c", []float64{3}), node(":Gather", "X one", "n", Int("axis", 1)), node(":Reshape", "n flat", "v"),
	}, more...)
}

// codes makes code, the first column as int32 [rows].
func codes(more ...Field) []Field {
	return number(append([]Field{
		Indices("zero", []int64{0}), node(":Gather", "X zero", "a", Int("axis", 1)), node(":Cast", "a", "code", Int("to", Int32)),
	}, more...)...)
}

func TestTheShippedGraphsAreTheConverters(t *testing.T) {
	folders, err := filepath.Glob("../../models/*/manifest.json")
	if err != nil || len(folders) < 2 {
		t.Fatal(folders, err)
	}
	old, err := filepath.Glob("../bundle/testdata/format*/*/manifest.json")
	if err != nil || len(old) < 2 {
		t.Fatal(old, err)
	}
	for _, folder := range append(folders, old...) {
		b, err := bundle.Open(t.Context(), bundle.Dir(filepath.Dir(folder)), "")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := graph.Check(bundle.ModelFile, b.Model, &b.Manifest); err != nil {
			t.Error(err)
		}
	}
}

// What the shipped graphs don't have, of what the converter writes.
func TestCheck(t *testing.T) {
	for name, nodes := range map[string][]Field{
		"a number":        number(node(":Identity", "n", "y")),
		"a step":          number(node(":Add", "v c", "w"), node(":Reshape", "w tall", "y")),
		"a number a row":  number(node(":Shape", "X", "s", Int("start", 0), Int("end", 1)), node(":Expand", "c s", "w"), node(":Reshape", "w tall", "y")),
		"a row's largest": number(node(":ReduceMax", "X one", "y", Int("keepdims", 1))),
		"its place": number(node(":ArgMax", "X", "at", Int("axis", 1), Int("keepdims", 1), Int("select_last_index", 0)),
			node(":GatherElements", "X at", "y", Int("axis", 1))),
		"a code's weight": codes(Reals("w", []float64{0, 1, 2}, 3), node(":Gather", "w code", "g"), node(":Reshape", "g tall", "y")),
		"many columns": number(Reals("w", make([]float64, 6), 2, 3), node(":MatMul", "X w", "m"), node(":Concat", "m n", "all", Int("axis", 1)),
			Indices("k", []int64{1}, 1), node(":TopK", "all k", "y at", Int("axis", 1), Int("largest", 0), Int("sorted", 1))),
		"a forest": {forest(func(*trees) {})},
	} {
		if err := check(Model(2, 1, metadata, nodes...)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCheckRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		nodes []Field
		want  string
	}{
		"no y":                      {number(), "does not compute y"},
		"a y of another type":       {number(node(":Cast", "n", "y", Int("to", Float32))), "does not compute y"},
		"a y of another shape":      {number(node(":Identity", "X", "y")), "does not compute y"},
		"a constant y":              {number(Reals("k", []float64{1}, 1, 1), node(":Identity", "k", "y")), "does not compute y"},
		"two values of a name":      {number(node(":Identity", "n", "v")), `two values have the name "v"`},
		"a constant X":              {number(Reals("X", []float64{1})), `two values have the name "X"`},
		"a name from later":         {number(node(":Identity", "later", "y")), `nothing before it is called "later"`},
		"no name":                   {number(node(":Identity", "n", "")), "1 inputs and 0 outputs"},
		"an operator":               {number(node(":Loop", "n c", "y")), "node 3, Loop: the converter writes no such operator"},
		"an operator of a domain":   {number(node("com.microsoft:Gelu", "n", "y")), `no such operator of the domain "com.microsoft"`},
		"a domain's operator":       {number(node("ai.onnx.ml:Add", "n n", "y")), "no such operator"},
		"an attribute":              {number(node(":Identity", "n", "y", Int("axis", 1))), `its attribute "axis"`},
		"an attribute's type":       {number(node(":Cast", "n", "y", Ints("to", 11))), `its attribute "to"`},
		"an attribute twice":        {number(node(":Cast", "n", "y", Int("to", 11), Int("to", 1))), `its attribute "to"`},
		"a graph as an attribute":   {number(node(":Identity", "n", "y", Sub(5, Text(1, "body"), Sub(6, Text(2, "g")), Number(20, 5)))), "field 6 of an attribute"},
		"an input too many":         {number(node(":Add", "n n n", "y")), "3 inputs and 1 outputs"},
		"an output too many":        {number(node(":Add", "n n", "y z")), "it has 2 outputs"},
		"rows by rows":              {number(node(":Add", "n v", "y")), "depend on other rows"},
		"so many rows":              {number(Reals("k", []float64{1, 2}, 2, 1), node(":Add", "n k", "y")), "depend on other rows"},
		"so many rows, of a vector": {number(Reals("k", []float64{1, 2}, 2), node(":Add", "v k", "w"), node(":Reshape", "w tall", "y")), "depend on other rows"},
		"rows beside one another":   {number(node(":Concat", "n n", "w", Int("axis", 0)), node(":Identity", "w", "y")), "depend on other rows"},
		"columns as rows":           {number(node(":Reshape", "X tall", "y")), "depend on other rows"},
		"rows as columns":           {number(Indices("wide", []int64{1, -1}, 2), node(":Reshape", "n wide", "y")), "depend on other rows"},
		"another row's":             {number(Indices("k", []int64{0}), node(":Gather", "n k", "y", Int("axis", 0))), "depend on other rows"},
		"each row's of another":     {number(node(":ArgMax", "X", "at", Int("axis", 1), Int("keepdims", 1)), node(":GatherElements", "n at", "y", Int("axis", 0))), "depend on other rows"},
		"a sum over rows":           {number(Indices("k", []int64{0}, 1), node(":ReduceSum", "n k", "y")), "depend on other rows"},
		"a sum over everything":     {number(node(":ReduceSum", "n", "y")), "1 inputs"},
		"a running sum over rows":   {number(Indices("k", []int64{0}), node(":CumSum", "n k", "y")), "depend on other rows"},
		"the largest over rows":     {number(node(":ArgMax", "n", "y", Int("axis", 0))), "depend on other rows"},
		"the first of the rows":     {number(node(":TopK", "n one", "y at", Int("axis", 0))), "depend on other rows"},
		"rows times rows":           {number(node(":MatMul", "X X", "y")), "depend on other rows"},
		"how many columns":          {number(node(":Shape", "X", "s", Int("start", 0), Int("end", 2))), "how many rows"},
		"how many rows as a number": {number(node(":Shape", "X", "s", Int("start", 0), Int("end", 1)), node(":Cast", "s", "k", Int("to", Float64))), "types do not go together"},
		"a terabyte":                {number(Indices("k", []int64{1 << 37}, 1), node(":Expand", "c k", "y")), "more than a number for each row"},
		"a terabyte on disk":        {number(Tensor("k", Float64, []byte{}, 1<<31-1, 1<<6)), "and has 0 bytes"},
		"a negative size":           {number(Tensor("k", Float64, []byte{}, 1<<64-1)), "has a dimension of"},
		"a size that overflows":     {number(Tensor("k", Float64, make([]byte, 8), 1<<31-1, 1<<31-1)), "and has 8 bytes"},
		"text":                      {number(Tensor("k", String, []byte("a"), 1)), "a type that is none of the converter's"},
		"three axes":                {number(Reals("k", []float64{1}, 1, 1, 1)), "has 3 dimensions"},
		"a file beside":             {number(Sub(GraphTensor, Text(8, "k"), Number(2, Float64), Sub(13, Text(1, "location"), Text(2, "/etc/passwd")), Number(14, 1))), "field 13 of a constant"},
		"a sparse constant":         {number(Sub(15, Number(2, 1))), "field 15 of the graph"},
		"doubled":                   {number(doubled(30)...), "the shapes do not go together"},
		"division by 0":             {codes(Tensor("k", Int32, make([]byte, 4)), node(":Div", "code k", "d")), "may be 0"},
		"division by a value":       {codes(node(":Div", "code code", "d")), "may be 0"},
		"a table too short":         {codes(Reals("w", []float64{0, 1}, 2), node(":GatherElements", "w code", "g")), "looks up 2 in a table of 2"},
		"another table too short":   {codes(Reals("w", []float64{0, 1}, 2), node(":Gather", "w code", "g")), "looks up 2 in a table of 2"},
		"a row too short": {
			number(node(":ArgMax", "X", "at", Int("axis", 1), Int("keepdims", 1)), node(":GatherElements", "n at", "y", Int("axis", 1))),
			"looks up 1 in a table of 1",
		},
		"a column beyond": {number(Indices("k", []int64{2}, 1), node(":Gather", "X k", "y", Int("axis", 1))), "a column that is not there"},
		"a cast to text":  {number(node(":Cast", "n", "y", Int("to", String))), "types do not go together"},
		"types of two":    {codes(node(":Add", "a code", "d")), "float64 and int32"},
	} {
		err := check(Model(2, 1, metadata, test.nodes...))
		if !errors.Is(err, graph.ErrForeign) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %q", name, err, test.want)
		}
	}
}

// doubled is a value that is as wide again with each node.
func doubled(times int) []Field {
	var nodes []Field
	last := "n"
	for i := range times {
		next := "d" + strings.Repeat("d", i)
		nodes = append(nodes, node(":Concat", last+" "+last, next, Int("axis", 1)))
		last = next
	}
	return nodes
}

// without is the model without a field, and with others.
func without(number int, more ...Field) func() Message {
	return func() Message {
		return append(whole().Without(fieldNumber(number)), more...)
	}
}

func whole() Message { return Model(2, 1, metadata, number(node(":Identity", "n", "y"))...) }

func TestCheckRefusesModels(t *testing.T) {
	for name, test := range map[string]struct {
		model func() Message
		want  string
	}{
		"another IR version":    {without(1, Number(1, 11)), "IR version is 11"},
		"another opset":         {without(ModelOpset, Sub(ModelOpset, Text(1, ""), Number(2, 22))), "opset 22"},
		"another domain":        {without(0, Sub(ModelOpset, Text(1, "com.microsoft"), Number(2, 1))), `opset 1 of the domain "com.microsoft"`},
		"no opset":              {without(ModelOpset), "names no opset"},
		"an opset twice":        {without(0, Sub(ModelOpset, Text(1, ""), Number(2, 21))), "is there twice"},
		"a function":            {without(0, Sub(25, Text(1, "f"))), "field 25 of the model"},
		"training":              {without(0, Sub(20, Text(1, "f"))), "field 20 of the model"},
		"two graphs":            {without(0, Sub(ModelGraph, Text(2, "g"))), "field 7 of the model is there twice"},
		"no graph":              {without(ModelGraph), "has not the one input X"},
		"another run":           {without(ModelMetadata), `was made with`},
		"a field of later":      {without(0, Number(40, 1)), "field 40 of the model"},
		"a graph of a number":   {without(ModelGraph, Number(ModelGraph, 1)), "field 7 of the model"},
		"an input of one row":   {declared(GraphInput, Value(GraphInput, "X", Float64, 1, 2)), "its input has not any number of rows"},
		"an input of a column":  {declared(GraphInput, Value(GraphInput, "X", Float64, "rows", 1)), "has not the manifest's 2 columns"},
		"an input of any width": {declared(GraphInput, Value(GraphInput, "X", Float64, "rows", "columns")), "has not the manifest's 2 columns"},
		"an input of float32":   {declared(GraphInput, Value(GraphInput, "X", Float32, "rows", 2)), "its input is float32"},
		"an input of text":      {declared(GraphInput, Value(GraphInput, "X", String, "rows", 2)), "its input is an unknown type"},
		"an input of a name":    {declared(GraphInput, Value(GraphInput, "Z", Float64, "rows", 2)), "has not the one input X"},
		"an input more": {
			declared(GraphInput, Value(GraphInput, "X", Float64, "rows", 2), Value(GraphInput, "Z", Float64, "rows", 2)),
			"has not the one input X",
		},
		"an output of one row": {declared(GraphOutput, Value(GraphOutput, "y", Float64, 1, 1)), "its output has not any number of rows"},
		"an output of two":     {declared(GraphOutput, Value(GraphOutput, "y", Float64, "rows", 2)), "has not the manifest's 1 columns"},
		"no output":            {declared(GraphOutput), "has not the one output y"},
	} {
		err := check(test.model())
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %q", name, err, test.want)
		}
	}
}

// declared is the model with other inputs or outputs.
func declared(number int, values ...Field) func() Message {
	return func() Message {
		m, err := whole().Edit(func(g Message) Message { return append(g.Without(fieldNumber(number)), values...) })
		if err != nil {
			panic(err) // it was written here
		}
		return m
	}
}

func TestCheckRefusesTruncated(t *testing.T) {
	raw := whole().Encode()
	for n := range raw {
		if _, err := graph.Check(bundle.ModelFile, raw[:n], manifest()); err == nil {
			t.Errorf("the first %d of %d bytes are a model", n, len(raw))
		}
	}
}

// FuzzCheck reads whatever is in a bundle's folder.
func FuzzCheck(f *testing.F) {
	f.Add(whole().Encode())
	f.Add(Model(2, 1, metadata, forest(func(*trees) {})).Encode())
	for _, run := range []string{"2d509b1feb1643cab3e531a19515ec7b"} {
		raw, err := os.ReadFile(filepath.Join("../../models", run, bundle.ModelFile))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	m := manifest()
	f.Fuzz(func(t *testing.T, raw []byte) {
		if widest, err := graph.Check(bundle.ModelFile, raw, m); err == nil && widest < 2 {
			t.Errorf("a graph over two columns whose widest value has %d", widest)
		}
	})
}

// What is computed of a row is bounded in all, however narrow each value is.
func TestCheckRefusesMuchWork(t *testing.T) {
	nodes := doubled(17)
	last := "d" + strings.Repeat("d", 16)
	for i := range 200 {
		next := fmt.Sprintf("n%d", i)
		nodes = append(nodes, node(":Neg", last, next))
		last = next
	}
	if err := check(Model(2, 1, metadata, number(nodes...)...)); err == nil || !strings.Contains(err.Error(), "more than is served") {
		t.Error(err)
	}
	many := make([]Field, 1<<15+1)
	for i := range many {
		many[i] = node(":Neg", "X", fmt.Sprintf("n%d", i))
	}
	if err := check(Model(2, 1, metadata, many...)); err == nil || !strings.Contains(err.Error(), "32769 nodes, and 32768 are the most") {
		t.Error(err)
	}
}
