package main

import (
	"errors"
	"io"
	"strconv"
)

// errShort is that a column ends before the others.
var errShort = errors.New("a column ends before the others: the file is damaged")

// write writes the rows behind the first so many.
func (t *table) write(w io.Writer, skip int64) error {
	skip = min(skip, t.rows)
	if t.flat {
		for _, c := range t.cursors {
			if err := c.seek(skip); err != nil {
				return err
			}
		}
	} else {
		// old writers let a row go on in the next page, so that only its values say
		// where it begins
		for range skip {
			for _, c := range t.cursors {
				if err := c.row(); err != nil {
					return err
				}
			}
		}
	}
	var line []byte
	for row := skip + 1; row <= t.rows; row++ {
		var err error
		if line, err = t.root.object(line[:0], row); err != nil {
			return err
		}
		if _, err := w.Write(append(line, '\n')); err != nil {
			return err
		}
	}
	return nil
}

// row goes behind a row's values.
func (c *cursor) row() error {
	for first := true; ; first = false {
		v, err := c.peek()
		switch {
		case err != nil:
			return err
		case v == nil && first:
			return errShort
		case v == nil || !first && v.RepetitionLevel() == 0:
			return nil
		}
		c.next()
	}
}

// text appends a node to its row: its elements, where it is repeated.
func (n *node) text(dst []byte, row int64) ([]byte, error) {
	if n.number {
		return strconv.AppendInt(dst, row, 10), nil
	}
	first := n.first()
	if first == nil { // an object made here, or an empty group
		return n.one(dst, row)
	}
	if !n.optional && !n.repeated {
		return n.one(dst, row)
	}
	v, err := first.peek()
	switch {
	case err != nil:
		return dst, err
	case v == nil:
		return dst, errShort
	case v.DefinitionLevel() < n.def && n.optional:
		return append(dst, "null"...), n.pass()
	case !n.repeated:
		return n.one(dst, row)
	case v.DefinitionLevel() < n.def:
		return append(dst, "[]"...), n.pass()
	}
	return n.elements(append(dst, '['), row, ']', n.one)
}

// elements appends those of a repeated node, up to the end.
func (n *node) elements(dst []byte, row int64, end byte, one func([]byte, int64) ([]byte, error)) ([]byte, error) {
	first := n.first()
	for {
		var err error
		if dst, err = one(dst, row); err != nil {
			return dst, err
		}
		v, err := first.peek()
		if err != nil {
			return dst, err
		}
		if v == nil || v.RepetitionLevel() < n.rep {
			return append(dst, end), nil
		}
		dst = append(dst, ',')
	}
}

// one appends what is there.
func (n *node) one(dst []byte, row int64) ([]byte, error) {
	switch {
	case n.cursor != nil:
		v, err := n.cursor.peek()
		switch {
		case err != nil:
			return dst, err
		case v == nil:
			return dst, errShort
		}
		dst, err = n.append(dst, *v)
		n.cursor.next()
		return dst, err
	case n.isList: // its field is what it has
		return n.fields[0].text(dst, row)
	case n.isMap:
		return n.entries(dst, row)
	}
	return n.object(dst, row)
}

func (n *node) object(dst []byte, row int64) ([]byte, error) {
	dst = append(dst, '{')
	for i, f := range n.fields {
		if i > 0 {
			dst = append(dst, ',')
		}
		var err error
		if dst, err = f.text(append(dst, f.key...), row); err != nil {
			return dst, err
		}
	}
	return append(dst, '}'), nil
}

// entries appends a map with text for keys as an object.
func (n *node) entries(dst []byte, row int64) ([]byte, error) {
	entry := n.fields[0]
	v, err := entry.first().peek()
	switch {
	case err != nil:
		return dst, err
	case v == nil:
		return dst, errShort
	case v.DefinitionLevel() < entry.def:
		return append(dst, "{}"...), entry.pass()
	}
	return entry.elements(append(dst, '{'), row, '}', func(dst []byte, row int64) ([]byte, error) {
		dst, err := entry.fields[0].text(dst, row)
		if err != nil {
			return dst, err
		}
		return entry.fields[1].text(append(dst, ':'), row)
	})
}

// pass goes behind what is not there: one value of each column.
func (n *node) pass() error {
	if n.cursor != nil {
		v, err := n.cursor.peek()
		if err == nil && v == nil {
			err = errShort
		}
		if err == nil {
			n.cursor.next()
		}
		return err
	}
	for _, f := range n.fields {
		if err := f.pass(); err != nil {
			return err
		}
	}
	return nil
}
