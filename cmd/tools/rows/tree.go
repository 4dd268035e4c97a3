package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"

	"github.com/skiff-ml/skiff/inference/hint"
)

// A node is a part of a row: an object of fields, a list, or a value.
type node struct {
	key      []byte // "name":
	optional bool
	repeated bool
	def, rep int // the levels of one that is there

	fields []*node // of an object
	isMap  bool    // then the one field is repeated, and has key and value
	isList bool    // then the one field is repeated, and has the elements
	number bool    // the row's
	cursor *cursor // of a value
	append appender
}

// first returns the first value's cursor, whose levels say what is there; nil
// where there is none.
func (n *node) first() *cursor {
	if n.cursor != nil {
		return n.cursor
	}
	for _, f := range n.fields {
		if c := f.first(); c != nil {
			return c
		}
	}
	return nil
}

// A table makes rows of a file's columns.
type table struct {
	root    *node
	rows    int64
	cursors []*cursor
	flat    bool // no column has several values a row
}

// newTable returns the file's rows: all of them, or what is wanted.
func newTable(f *parquet.File, wanted [][]string, number []string) (*table, error) {
	t := &table{root: &node{}, rows: f.NumRows(), flat: true}
	var err error
	if wanted == nil {
		err = t.all(t.root, f.Root(), nil)
	} else {
		err = t.want(f.Root(), wanted, number)
	}
	if err == nil && t.root.first() == nil {
		err = errors.New("it has no columns")
	}
	if err != nil {
		t.close()
		return nil, err
	}
	return t, nil
}

func (t *table) close() {
	for _, c := range t.cursors {
		c.close()
	}
}

// all adds the columns of a group to an object: all, or those that keep says.
func (t *table) all(to *node, group *parquet.Column, keep func(*parquet.Column) bool) error {
	for _, c := range group.Columns() {
		if keep != nil && !keep(c) {
			continue
		}
		n, err := t.node(c, c.Name(), keep)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(to.fields, func(f *node) bool { return string(f.key) == string(n.key) }) {
			return fmt.Errorf("two columns are called %s", strings.Join(c.Path(), "."))
		}
		to.fields = append(to.fields, n)
	}
	return nil
}

// node returns what a column is in a row, by that name.
func (t *table) node(c *parquet.Column, name string, keep func(*parquet.Column) bool) (*node, error) {
	n := &node{key: keyOf(name), optional: c.Optional(), repeated: c.Repeated(), def: c.MaxDefinitionLevel(), rep: c.MaxRepetitionLevel()}
	if c.Leaf() {
		var err error
		if n.append, err = appenderOf(c.Type()); err != nil {
			return nil, hint.With(fmt.Errorf("column %s is %s, %w", strings.Join(c.Path(), "."), c.Type(), err), "write it as text or as numbers")
		}
		n.cursor = newCursor(c)
		t.cursors = append(t.cursors, n.cursor)
		t.flat = t.flat && n.rep == 0
		return n, nil
	}
	logical := c.Type().LogicalType()
	isOne := len(c.Columns()) == 1 && c.Columns()[0].Repeated()
	switch {
	case logical != nil && isOne && is[*format.ListType](logical):
		n.isList, keep = true, nil
	case logical != nil && isOne && is[*format.MapType](logical):
		entry := c.Columns()[0].Columns()
		n.isMap, keep = len(entry) == 2 && textual(entry[0]), nil
		n.isList = !n.isMap // of keys and values
	case logical != nil && !is[*format.ListType](logical) && !is[*format.MapType](logical):
		return nil, hint.With(fmt.Errorf("column %s is %s, %w", strings.Join(c.Path(), "."), logical, errNoJSON), "write it as text or as numbers")
	}
	if err := t.all(n, c, keep); err != nil {
		return nil, err
	}
	if logical != nil && n.isList && is[*format.ListType](logical) {
		unwrap(c, n.fields[0])
	}
	return n, nil
}

// unwrap makes a list's elements what its repeated group has, by the rules that
// the format has for those of old writers, whose group is the element.
func unwrap(list *parquet.Column, repeated *node) {
	group := list.Columns()[0]
	if group.Leaf() || len(group.Columns()) != 1 || group.Name() == "array" || group.Name() == list.Name()+"_tuple" {
		return
	}
	repeated.isList, repeated.fields[0].key = true, nil
}

// textual reports whether a column's values are text, as an object's keys are.
func textual(c *parquet.Column) bool {
	if !c.Leaf() || c.Type().Kind() != parquet.ByteArray || !c.Required() {
		return false
	}
	l := c.Type().LogicalType()
	return l == nil || is[*format.StringType](l) || is[*format.EnumType](l)
}

func is[T format.LogicalTypeValue](l *format.LogicalType) bool {
	_, ok := l.Value.(T)
	return ok
}
