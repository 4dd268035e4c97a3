package graph

import (
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/skiff-ml/skiff/inference/bundle"
)

// ErrForeign is that a graph is none that the converter writes, or none of its
// manifest.
var ErrForeign = errors.New("is no graph that the converter writes")

// Check returns an error that wraps [ErrForeign] for a model, in a file of the
// bundle, that the converter would not have written for the manifest, and
// [bundle.ErrAltered] for one that was made with another. Otherwise it returns how many numbers a row has of the
// widest value in the graph.
func Check(file string, model []byte, m *bundle.Manifest) (widest int, err error) {
	p, err := parse(model)
	if err == nil {
		err = p.checkHeader(m)
	}
	if err == nil {
		widest, err = p.check(m)
	}
	if err != nil {
		return 0, fmt.Errorf("%s of run %s %w: %w", file, m.RunID, ErrForeign, err)
	}
	return widest, p.checkMetadata(m)
}

// What the converter writes, in every format so far.
const (
	irVersion = 10
	mlDomain  = "ai.onnx.ml"
)

//nolint:gochecknoglobals // a table
var opsets = map[string]uint64{"": 21, mlDomain: 5, skiffDomain: 1}

// checkHeader compares what is said of the model with the manifest.
func (p *proto) checkHeader(m *bundle.Manifest) error {
	if p.ir != irVersion {
		return fmt.Errorf("its IR version is %d, not %d", p.ir, irVersion)
	}
	for domain, version := range p.opsets {
		if want := opsets[domain]; version != want || want == 0 {
			return fmt.Errorf("it is of opset %d of the domain %q", version, domain)
		}
	}
	if p.opsets[""] == 0 {
		return errors.New("it names no opset")
	}
	if len(p.nodes) > maxNodes {
		return fmt.Errorf("it has %d nodes, and %d are the most", len(p.nodes), maxNodes)
	}
	if err := checkDeclared("input", p.inputs, "X", len(m.Columns)); err != nil {
		return err
	}
	return checkDeclared("output", p.outputs, "y", m.Width())
}

// checkDeclared makes sure of the one input or output: float64 [rows, width].
func checkDeclared(what string, all []declared, name string, width int) error {
	if len(all) != 1 || all[0].name != name {
		return fmt.Errorf("it has not the one %s %s", what, name)
	}
	d := &all[0]
	switch {
	case d.kind != float64s:
		return fmt.Errorf("its %s is %v, not float64", what, d.kind)
	case len(d.dims) != 2 || d.dims[0].name == "" || d.dims[0].size != 0:
		return fmt.Errorf("its %s has not any number of rows", what)
	case d.dims[1].name != "" || d.dims[1].size != uint64(width): //nolint:gosec // it is not below 0
		return fmt.Errorf("its %s has not the manifest's %d columns", what, width)
	}
	return nil
}

func (p *proto) checkMetadata(m *bundle.Manifest) error {
	for key, want := range map[string]string{"run_id": m.RunID, "format": strconv.Itoa(m.Format), "columns": m.Fingerprint} {
		if got := p.metadata[key]; got != want {
			return fmt.Errorf("the bundle of run %s %w: its model was made with %s %.80q, and its manifest has %q", m.RunID, bundle.ErrAltered, key, got, want)
		}
	}
	return nil
}

// A checker knows the values so far.
type checker struct {
	columns []bundle.Column
	values  map[string]value
	widest  int // numbers of a row of one value
	work    int // of all
}

// check walks the nodes in their order, which is that of what they need.
func (p *proto) check(m *bundle.Manifest) (widest int, err error) {
	c := &checker{columns: m.Columns, values: make(map[string]value, len(p.tensors)+len(p.nodes)+1)}
	if err := c.add("X", rowsOf(float64s, len(m.Columns))); err != nil {
		return 0, err
	}
	for i := range p.tensors {
		t := &p.tensors[i]
		if err := c.add(t.name, value{kind: t.kind, dims: t.dims, known: t}); err != nil {
			return 0, err
		}
	}
	for i := range p.nodes {
		if err := c.node(&p.nodes[i]); err != nil {
			return 0, fmt.Errorf("node %d, %.40s: %w", i+1, p.nodes[i].operator, err)
		}
	}
	y, ok := c.values["y"]
	if !ok || !y.rows || y.kind != float64s || !slices.Equal(y.dims, []int{m.Width()}) {
		return 0, fmt.Errorf("it does not compute y, float64 of %d columns", m.Width())
	}
	return c.widest, nil
}

// add makes a value known, once.
func (c *checker) add(name string, v value) error {
	if name == "" {
		return errors.New("a value has no name")
	}
	if _, twice := c.values[name]; twice {
		return fmt.Errorf("two values have the name %.80q", name)
	}
	if v.known == nil {
		width := v.width()
		c.widest = max(c.widest, width)
		if c.work += width; width > maxWidth || c.work > maxWork {
			return fmt.Errorf("it has %d numbers a row, of %d in all: more than is served", width, c.work)
		}
	}
	c.values[name] = v
	return nil
}

func (c *checker) node(n *node) error {
	op, ok := operators[n.domain+":"+n.operator]
	if !ok {
		return fmt.Errorf("the converter writes no such operator of the domain %.40q", n.domain)
	}
	if len(n.inputs) < op.least || len(n.inputs) > op.most || len(n.outputs) == 0 {
		return fmt.Errorf("it has %d inputs and %d outputs", len(n.inputs), len(n.outputs))
	}
	call := call{node: n, in: make([]value, len(n.inputs)), columns: c.columns}
	for i, name := range n.inputs {
		v, ok := c.values[name]
		if !ok {
			return fmt.Errorf("nothing before it is called %.80q", name)
		}
		call.in[i] = v
	}
	for i := range n.attributes {
		a := &n.attributes[i]
		if want, ok := op.attributes[a.name]; !ok || a.kind != want || n.attribute(a.name) != a {
			return fmt.Errorf("its attribute %.40q is none of the converter's", a.name)
		}
	}
	out, err := op.infer(&call)
	if err != nil {
		return err
	}
	if len(out) != len(n.outputs) {
		return fmt.Errorf("it has %d outputs", len(n.outputs))
	}
	for i, name := range n.outputs {
		if err := c.add(name, out[i]); err != nil {
			return err
		}
	}
	return nil
}

// attribute returns the first attribute of that name.
func (n *node) attribute(name string) *attribute {
	for i := range n.attributes {
		if n.attributes[i].name == name {
			return &n.attributes[i]
		}
	}
	return nil
}
