package graph

import (
	"encoding/json"
	"maps"
	"os"
	"testing"
)

// operators.json is what this package and the converter's tests agree on.
func TestOperatorsAreThoseOfTheList(t *testing.T) {
	raw, err := os.ReadFile("operators.json")
	if err != nil {
		t.Fatal(err)
	}
	var list struct {
		IR        int                          `json:"ir_version"`
		Opsets    map[string]uint64            `json:"opsets"`
		Operators map[string]map[string]string `json:"operators"`
	}
	if err := json.Unmarshal(raw, &list); err != nil {
		t.Fatal(err)
	}
	if list.IR != irVersion || !maps.Equal(list.Opsets, opsets) {
		t.Errorf("the list is of IR %d and %v", list.IR, list.Opsets)
	}
	types := map[string]uint64{"INT": attrInt, "INTS": attrInts, "TENSOR": attrTensor}
	for name, op := range operators {
		attributes, ok := list.Operators[name]
		if !ok || len(attributes) != len(op.attributes) {
			t.Errorf("%s has the attributes %v, and in the list %v, %v", name, op.attributes, attributes, ok)
		}
		for attribute, kind := range attributes {
			if op.attributes[attribute] != types[kind] {
				t.Errorf("%s: %s is of type %d, and in the list %s", name, attribute, op.attributes[attribute], kind)
			}
		}
	}
	if len(list.Operators) != len(operators) {
		t.Errorf("the list has %d operators, of %d", len(list.Operators), len(operators))
	}
}
