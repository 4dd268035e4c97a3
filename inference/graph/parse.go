package graph

import (
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// The messages of onnx.proto, with the fields that the converter writes, and
// those for people. What is not here is refused: of a model functions and
// training, of a graph sparse initialisers, of an attribute graphs and floats, of
// a tensor data in another file or in typed fields.
//
//nolint:gochecknoglobals // tables
var (
	modelProto = message{"the model", bits(1, 5), bits(2, 3, 4, 6, 7, 8, 14), bits(8, 14)}
	opsetProto = message{"an opset", bits(2), bits(1), 0}
	entryProto = message{"the metadata", 0, bits(1, 2), 0}
	graphProto = message{"the graph", 0, bits(1, 2, 5, 10, 11, 12), bits(1, 5, 11, 12)}
	nodeProto  = message{"a node", 0, bits(1, 2, 3, 4, 5, 6, 7), bits(1, 2, 5)}
	valueProto = message{"an input or output", 0, bits(1, 2, 3), 0}
	typeProto  = message{"a type", 0, bits(1), 0}
	boundProto = message{"a tensor's type", bits(1), bits(2), 0}
	shapeProto = message{"a shape", 0, bits(1), bits(1)}
	dimProto   = message{"a dimension", bits(1), bits(2), 0}
	attrProto  = message{"an attribute", bits(3, 8, 20), bits(1, 5, 8), bits(8)}
)

// A proto is a model as it is written.
type proto struct {
	ir       uint64
	opsets   map[string]uint64
	metadata map[string]string
	nodes    []node
	tensors  []tensor
	inputs   []declared
	outputs  []declared
}

// A node computes outputs from inputs, all of them names.
type node struct {
	domain, operator string
	inputs, outputs  []string
	attributes       []attribute
}

// The types of an attribute that the converter writes; AttributeProto's.
const (
	attrInt    = 2
	attrTensor = 4
	attrInts   = 7
)

// An attribute is an integer, a list of them, or a tensor.
type attribute struct {
	name   string
	kind   uint64
	value  int64
	list   []int32
	tensor *tensor
}

// A declared value is the graph's input or output.
type declared struct {
	name string
	kind kind
	dims []dim
}

// A dim has a name or a size.
type dim struct {
	name string
	size uint64
}

// parse reads a model.
func parse(raw []byte) (*proto, error) {
	p := &proto{opsets: map[string]uint64{}, metadata: map[string]string{}}
	var graph []byte
	err := modelProto.each(raw, func(f field) error {
		switch f.number {
		case 1:
			p.ir = f.value
		case 7:
			graph = f.bytes
		case 8:
			return p.opset(f.bytes)
		case 14:
			return p.entry(f.bytes)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return p, p.graph(graph)
}

func (p *proto) opset(raw []byte) error {
	var domain string
	var version uint64
	err := opsetProto.each(raw, func(f field) error {
		if f.number == 1 {
			domain = string(f.bytes)
		} else {
			version = f.value
		}
		return nil
	})
	if _, twice := p.opsets[domain]; twice && err == nil {
		return fmt.Errorf("the opset of the domain %q is there twice", domain)
	}
	p.opsets[domain] = version
	return err
}

func (p *proto) entry(raw []byte) error {
	var key, value string
	err := entryProto.each(raw, func(f field) error {
		if f.number == 1 {
			key = string(f.bytes)
		} else {
			value = string(f.bytes)
		}
		return nil
	})
	if _, twice := p.metadata[key]; twice && err == nil {
		return fmt.Errorf("the metadata's %q is there twice", key)
	}
	p.metadata[key] = value
	return err
}

func (p *proto) graph(raw []byte) error {
	return graphProto.each(raw, func(f field) (err error) {
		switch f.number {
		case 1:
			var n node
			n, err = parseNode(f.bytes)
			p.nodes = append(p.nodes, n)
		case 5:
			var t *tensor
			if t, err = parseTensor(f.bytes); err == nil {
				p.tensors = append(p.tensors, *t)
			}
		case 11:
			p.inputs, err = appendDeclared(p.inputs, f.bytes)
		case 12:
			p.outputs, err = appendDeclared(p.outputs, f.bytes)
		}
		return err
	})
}

func parseNode(raw []byte) (node, error) {
	var n node
	err := nodeProto.each(raw, func(f field) error {
		switch f.number {
		case 1:
			n.inputs = append(n.inputs, string(f.bytes))
		case 2:
			n.outputs = append(n.outputs, string(f.bytes))
		case 4:
			n.operator = string(f.bytes)
		case 5:
			a, err := parseAttribute(f.bytes)
			if err != nil {
				return err
			}
			n.attributes = append(n.attributes, a)
		case 7:
			n.domain = string(f.bytes)
		}
		return nil
	})
	if err != nil {
		return node{}, fmt.Errorf("node %s: %w", n.operator, err)
	}
	return n, nil
}

func parseAttribute(raw []byte) (attribute, error) {
	var a attribute
	err := attrProto.each(raw, func(f field) (err error) {
		switch {
		case f.number == 1:
			a.name = string(f.bytes)
		case f.number == 3:
			a.value = int64(f.value) //nolint:gosec // as protobuf has negative numbers
		case f.number == 5:
			a.tensor, err = parseTensor(f.bytes)
		case f.number == 8 && f.bytes != nil:
			err = a.packed(f.bytes)
		case f.number == 8:
			err = a.append(f.value)
		case f.number == 20:
			a.kind = f.value
		}
		return err
	})
	if err == nil && (a.list != nil && a.kind != attrInts || (a.tensor != nil) != (a.kind == attrTensor)) {
		err = fmt.Errorf("it is of type %d, and has another one's value", a.kind)
	}
	if err != nil {
		return attribute{}, fmt.Errorf("attribute %s: %w", a.name, err)
	}
	return a, nil
}

// packed appends integers that are written one after another.
func (a *attribute) packed(raw []byte) error {
	for len(raw) > 0 {
		v, n := protowire.ConsumeVarint(raw)
		if n < 0 {
			return errTruncated
		}
		if err := a.append(v); err != nil {
			return err
		}
		raw = raw[n:]
	}
	return nil
}

func (a *attribute) append(v uint64) error {
	if v > math.MaxInt32 {
		return fmt.Errorf("%d is none of its numbers", int64(v)) //nolint:gosec // as protobuf has negative numbers
	}
	a.list = append(a.list, int32(v))
	return nil
}

func appendDeclared(to []declared, raw []byte) ([]declared, error) {
	var d declared
	err := valueProto.each(raw, func(f field) error {
		switch f.number {
		case 1:
			d.name = string(f.bytes)
		case 2:
			return typeProto.each(f.bytes, func(f field) error { return d.bound(f.bytes) })
		}
		return nil
	})
	return append(to, d), err
}

// bound reads the type of a tensor.
func (d *declared) bound(raw []byte) error {
	return boundProto.each(raw, func(f field) error {
		if f.number == 1 {
			d.kind = kindOf(f.value)
			return nil
		}
		return shapeProto.each(f.bytes, func(f field) error {
			var one dim
			err := dimProto.each(f.bytes, func(f field) error {
				if f.number == 1 {
					one.size = f.value
				} else {
					one.name = string(f.bytes)
				}
				return nil
			})
			d.dims = append(d.dims, one)
			return err
		})
	})
}
