package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/parquet-go/parquet-go"
)

// atOnce is how many values are taken from a page at a time.
const atOnce = 512

// A cursor goes through a column's values. What it shows is there until the next.
type cursor struct {
	column *parquet.Column
	pages  parquet.Pages
	page   parquet.Page // nil: none yet
	from   parquet.ValueReader
	buf    []parquet.Value
	values []parquet.Value // of buf, those to come
	over   bool
}

func newCursor(c *parquet.Column) *cursor {
	return &cursor{column: c, pages: c.Pages(), buf: make([]parquet.Value, atOnce)}
}

// peek returns the value that comes next, or nil behind the last.
func (c *cursor) peek() (*parquet.Value, error) {
	for len(c.values) == 0 {
		if c.over {
			return nil, nil //nolint:nilnil // the end
		}
		if err := c.fill(); err != nil {
			return nil, fmt.Errorf("column %s: %w", strings.Join(c.column.Path(), "."), err)
		}
	}
	return &c.values[0], nil
}

// next goes to the next value.
func (c *cursor) next() { c.values = c.values[1:] }

// fill takes more values, of the next page where the last has no more.
func (c *cursor) fill() error {
	if c.from == nil {
		page, err := c.pages.ReadPage()
		if errors.Is(err, io.EOF) {
			c.over = true
			return nil
		}
		if err != nil {
			return err
		}
		parquet.Release(c.page)
		c.page, c.from = page, page.Values()
	}
	n, err := c.from.ReadValues(c.buf)
	c.values = c.buf[:n]
	if errors.Is(err, io.EOF) {
		c.from, err = nil, nil
	}
	return err
}

// seek goes to a row, in a column whose rows have one value each.
func (c *cursor) seek(row int64) error { return c.pages.SeekToRow(row) }

func (c *cursor) close() {
	parquet.Release(c.page)
	_ = c.pages.Close() // it was only read
}
