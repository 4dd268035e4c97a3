// Package graphtest writes ONNX models for tests, right ones and wrong ones.
package graphtest

import (
	"encoding/binary"
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// A Field is one of a protobuf message's: a number, unless there are bytes.
type Field struct {
	Number protowire.Number
	Value  uint64
	Bytes  []byte
}

// A Message is a protobuf message's fields, in their order.
type Message []Field

// Parse returns the fields of a message, which has only numbers and bytes.
func Parse(raw []byte) (Message, error) {
	var m Message
	for len(raw) > 0 {
		number, kind, n := protowire.ConsumeTag(raw)
		f := Field{Number: number}
		if n < 0 {
			return nil, protowire.ParseError(n)
		}
		raw = raw[n:]
		switch kind {
		case protowire.VarintType:
			f.Value, n = protowire.ConsumeVarint(raw)
		case protowire.BytesType:
			f.Bytes, n = protowire.ConsumeBytes(raw)
		default:
			return nil, fmt.Errorf("field %d is of wire type %d", number, kind)
		}
		if n < 0 {
			return nil, protowire.ParseError(n)
		}
		m, raw = append(m, f), raw[n:]
	}
	return m, nil
}

// Encode returns the message as it is written.
func (m Message) Encode() []byte {
	raw := []byte{}
	for _, f := range m {
		if f.Bytes == nil {
			raw = protowire.AppendVarint(protowire.AppendTag(raw, f.Number, protowire.VarintType), f.Value)
			continue
		}
		raw = protowire.AppendBytes(protowire.AppendTag(raw, f.Number, protowire.BytesType), f.Bytes)
	}
	return raw
}

// Without returns the message without the fields of that number.
func (m Message) Without(number protowire.Number) Message {
	var kept Message
	for _, f := range m {
		if f.Number != number {
			kept = append(kept, f)
		}
	}
	return kept
}

// Number is a field of a number.
func Number(number protowire.Number, v uint64) Field { return Field{Number: number, Value: v} }

// Text is a field of text.
func Text(number protowire.Number, s string) Field { return Field{Number: number, Bytes: []byte(s)} }

// Sub is a field that is a message.
func Sub(number protowire.Number, m ...Field) Field {
	return Field{Number: number, Bytes: Message(m).Encode()}
}

// The fields of onnx.proto.
const (
	ModelGraph    = 7
	ModelOpset    = 8
	ModelMetadata = 14

	GraphNode   = 1
	GraphTensor = 5
	GraphInput  = 11
	GraphOutput = 12
)

// The data types of onnx.proto.
const (
	Float32 = 1
	Uint8   = 2
	Int32   = 6
	Int64   = 7
	String  = 8
	Float64 = 11
)

// Node is a node of the graph, of a domain and operator such as ":Add".
func Node(operator string, in, out []string, attributes ...Field) Field {
	var domain string
	for i := range operator {
		if operator[i] == ':' {
			domain, operator = operator[:i], operator[i+1:]
			break
		}
	}
	var m Message
	for _, name := range in {
		m = append(m, Text(1, name))
	}
	for _, name := range out {
		m = append(m, Text(2, name))
	}
	m = append(m, Text(4, operator))
	m = append(m, attributes...)
	if domain != "" {
		m = append(m, Text(7, domain))
	}
	return Sub(GraphNode, m...)
}

// Int is a node's attribute.
func Int(name string, v int64) Field {
	return Sub(5, Text(1, name), Number(3, uint64(v)), Number(20, 2)) //nolint:gosec // as protobuf has negative numbers
}

// Ints is an attribute of a list.
func Ints(name string, values ...int64) Field {
	m := Message{Text(1, name)}
	for _, v := range values {
		m = append(m, Number(8, uint64(v))) //nolint:gosec // as protobuf has negative numbers
	}
	return Sub(5, append(m, Number(20, 7))...)
}

// TensorAttribute is an attribute of a constant.
func TensorAttribute(name string, t Field) Field {
	return Sub(5, Text(1, name), Field{Number: 5, Bytes: t.Bytes}, Number(20, 4))
}

// Tensor is a constant of the graph, of a data type, from its bytes.
func Tensor(name string, dataType uint64, data []byte, dims ...uint64) Field {
	var m Message
	for _, d := range dims {
		m = append(m, Number(1, d))
	}
	return Sub(GraphTensor, append(m, Number(2, dataType), Text(8, name), Field{Number: 9, Bytes: data})...)
}

// Reals is a constant of float64.
func Reals(name string, values []float64, dims ...uint64) Field {
	data := []byte{}
	for _, v := range values {
		data = binary.LittleEndian.AppendUint64(data, math.Float64bits(v))
	}
	return Tensor(name, Float64, data, dims...)
}

// Indices is a constant of int64.
func Indices(name string, values []int64, dims ...uint64) Field {
	data := []byte{}
	for _, v := range values {
		data = binary.LittleEndian.AppendUint64(data, uint64(v)) //nolint:gosec // two's complement
	}
	return Tensor(name, Int64, data, dims...)
}

// Value is an input or output of the graph, its dims texts or sizes.
func Value(number protowire.Number, name string, dataType uint64, dims ...any) Field {
	var shape Message
	for _, d := range dims {
		if text, ok := d.(string); ok {
			shape = append(shape, Sub(1, Text(2, text)))
			continue
		}
		shape = append(shape, Sub(1, Number(1, uint64(d.(int))))) //nolint:gosec // tests have no negative ones
	}
	return Sub(number, Text(1, name), Sub(2, Sub(1, Number(1, dataType), Sub(2, shape...))))
}

// Model is a whole model of that input and output, columns and scores wide.
func Model(columns, scores int, metadata map[string]string, graph ...Field) Message {
	inside := append(Message{Text(2, "skiff")}, graph...)
	inside = append(inside,
		Value(GraphInput, "X", Float64, "rows", columns), Value(GraphOutput, "y", Float64, "rows", scores))
	m := Message{Number(1, 10), Text(2, "skiff"), Sub(ModelGraph, inside...)}
	m = append(m, Sub(ModelOpset, Text(1, ""), Number(2, 21)), Sub(ModelOpset, Text(1, "ai.onnx.ml"), Number(2, 5)))
	for key, value := range metadata {
		m = append(m, Sub(ModelMetadata, Text(1, key), Text(2, value)))
	}
	return m
}

// Edit returns the model with its graph's fields changed.
func (m Message) Edit(change func(graph Message) Message) (Message, error) {
	out := make(Message, len(m))
	copy(out, m)
	for i := range out {
		if out[i].Number == ModelGraph {
			graph, err := Parse(out[i].Bytes)
			if err != nil {
				return nil, err
			}
			out[i] = Sub(ModelGraph, change(graph)...)
		}
	}
	return out, nil
}
