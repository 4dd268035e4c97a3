package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/parquet-go/parquet-go"

	"github.com/skiff-ml/skiff/inference/hint"
)

// want has the rows be what is wanted. A path is
//
//  1. the column of that place, in groups
//  2. or else a column that is named by the path with dots, as flat files have it
//  3. or else one that is named by its last key, where no other path has that
//
// and the number's, where no column is, is the row's.
func (t *table) want(root *parquet.Column, wanted [][]string, number []string) error {
	kept := map[*parquet.Column]bool{}
	type flat struct {
		path   []string
		column *parquet.Column
	}
	var moved []flat
	by := map[*parquet.Column][]string{} // its last key
	var absent []string
	numbered := len(number) > 0
	seen := map[string]bool{}
	for _, path := range wanted {
		dotted := strings.Join(path, ".")
		if len(path) == 0 || seen[strings.Join(path, "\x00")] {
			continue
		}
		seen[strings.Join(path, "\x00")] = true
		isNumber := slices.Equal(path, number)
		if columns := walk(root, path); columns != nil {
			for _, c := range columns {
				kept[c] = true
			}
			markBelow(columns[len(columns)-1], kept)
			numbered = numbered && !isNumber
			continue
		}
		last := path[len(path)-1]
		c := root.Column(dotted)
		if c == nil {
			if c = root.Column(last); c != nil {
				if other := by[c]; other != nil {
					return hint.With(fmt.Errorf("column %s may be %s or %s", last, strings.Join(other, "."), dotted), "name the columns by their paths, with dots")
				}
				by[c] = path
			}
		}
		switch {
		case c != nil && root.Column(path[0]) == nil:
			moved = append(moved, flat{path, c})
			numbered = numbered && !isNumber
		case !isNumber:
			absent = append(absent, dotted)
		}
	}
	if len(kept) == 0 && len(moved) == 0 {
		return hint.With(fmt.Errorf("it has none of the columns that are wanted: %s; it has %s", strings.Join(absent, ", "), namesOf(root)),
			"name a column by its path, with dots, or by its last key")
	}
	if err := t.all(t.root, root, func(c *parquet.Column) bool { return kept[c] }); err != nil {
		return err
	}
	for _, m := range moved {
		n, err := t.node(m.column, m.path[len(m.path)-1], nil)
		if err != nil {
			return err
		}
		if err := t.root.put(m.path, n); err != nil {
			return err
		}
	}
	if numbered && root.Column(number[0]) == nil {
		return t.root.put(number, &node{key: keyOf(number[len(number)-1]), number: true})
	}
	return nil
}

// walk returns the columns on the way to a path, as far as there are groups;
// behind a list, a map or a value it goes on inside of that. It is nil where there
// is no such way.
func walk(root *parquet.Column, path []string) (columns []*parquet.Column) {
	at := root
	for _, key := range path {
		if at != root && (at.Leaf() || at.Repeated() || at.Type().LogicalType() != nil) {
			return columns
		}
		if at = at.Column(key); at == nil {
			return nil
		}
		columns = append(columns, at)
	}
	return columns
}

func markBelow(c *parquet.Column, kept map[*parquet.Column]bool) {
	for _, below := range c.Columns() {
		kept[below] = true
		markBelow(below, kept)
	}
}

// put puts a node at a path, in objects that are made where they are not there.
func (n *node) put(path []string, leaf *node) error {
	for _, key := range path[:len(path)-1] {
		at := slices.IndexFunc(n.fields, func(f *node) bool { return string(f.key) == string(keyOf(key)) })
		if at < 0 {
			n.fields = append(n.fields, &node{key: keyOf(key)})
			at = len(n.fields) - 1
		}
		n = n.fields[at]
		if n.cursor != nil || n.number {
			return errors.New("a column is wanted below another: " + strings.Join(path, "."))
		}
	}
	n.fields = append(n.fields, leaf)
	return nil
}

// namesOf lists the columns, of many the first.
func namesOf(root *parquet.Column) string {
	var names []string
	for _, c := range root.Columns() {
		if len(names) == 20 {
			names = append(names, "…")
			break
		}
		names = append(names, c.Name())
	}
	return strings.Join(names, ", ")
}
