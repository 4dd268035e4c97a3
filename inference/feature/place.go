package feature

import (
	"strings"

	"github.com/skiff-ml/skiff/inference"
	"github.com/skiff-ml/skiff/inference/jsonscan"
)

// A place is where in a document something is: the slots from the document
// down to the value, and the path itself for errors.
type place struct {
	slots []int
	path  []string
}

func locate(paths *jsonscan.Builder, path []string) *place { return &place{paths.Add(path...), path} }

// find returns the value at p, and whether there is one.
func (p *place) find(found []jsonscan.Value) (jsonscan.Value, bool) {
	last := len(p.slots) - 1
	for _, slot := range p.slots[:last] {
		if found[slot].Kind != jsonscan.Object {
			return jsonscan.Value{}, false
		}
	}
	v := found[p.slots[last]]
	return v, v.Kind != jsonscan.Absent
}

// missing reports whether there is no value at p because a key is missing, not
// because there is something on the way that has no keys.
func (p *place) missing(found []jsonscan.Value) bool {
	for _, slot := range p.slots {
		if kind := found[slot].Kind; kind != jsonscan.Object {
			return kind == jsonscan.Absent
		}
	}
	return false
}

// reject returns why there is no value at p, where there should be what is
// expected.
func (p *place) reject(found []jsonscan.Value, expected string) *inference.Rejection {
	for depth, slot := range p.slots {
		kind := found[slot].Kind
		if kind == jsonscan.Object {
			continue
		}
		if depth < len(p.slots)-1 {
			expected = jsonscan.Object.String()
		}
		r := wrongType(strings.Join(p.path[:depth], "."), expected, kind)
		if kind == jsonscan.Absent {
			r.Reason, r.Found = inference.MissingField, ""
		}
		return r
	}
	return wrongType(p.field(), expected, jsonscan.Object)
}

func (p *place) field() string { return strings.Join(p.path, ".") }

func wrongType(field, expected string, found jsonscan.Kind) *inference.Rejection {
	return &inference.Rejection{Reason: inference.WrongType, Field: field, Expected: expected, Found: found.String()}
}
