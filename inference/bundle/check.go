package bundle

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

var (
	runIDPattern    = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
	checksumPattern = regexp.MustCompile(`^[0-9a-f]{64}$`)
)

// CheckRunID returns an error for a run id that could not name a folder.
func CheckRunID(id string) error {
	if !runIDPattern.MatchString(id) {
		return fmt.Errorf("%q is %w", id, ErrRunID)
	}
	return nil
}

// check refuses what parses and makes no sense, and what a reader would have to
// guess at.
func (m *Manifest) check() error {
	if err := CheckRunID(m.RunID); err != nil {
		return err
	}
	if m.Model == "" {
		return errors.New("the model has no name")
	}
	for _, name := range []string{ModelFile, GoldenFile} {
		if !checksumPattern.MatchString(m.Files[name]) {
			return fmt.Errorf("it has no SHA-256 of %s", name)
		}
	}
	if err := checkOutputs(m.Outputs, m.ID); err != nil {
		return err
	}
	if len(m.Columns) == 0 {
		return errors.New("it has no columns")
	}
	for i := range m.Columns {
		if err := m.Columns[i].check(); err != nil {
			return columnError(i, &m.Columns[i], err)
		}
	}
	return nil
}

func columnError(i int, c *Column, err error) error {
	return fmt.Errorf("column %d, %s: %w", i, c.Name, err)
}

// checkOutputs makes sure that every field of the output has a name of its own.
func checkOutputs(outputs []Output, id *IDField) error {
	if len(outputs) == 0 {
		return errors.New("it names no prediction")
	}
	var names []string
	if id != nil {
		if id.Name == "" || len(id.Path) == 0 {
			return errors.New("the id has no name or no path")
		}
		names = append(names, id.Name)
	}
	for _, o := range outputs {
		switch {
		case o.Name == "":
			return errors.New("it names no prediction")
		case slices.Contains(names, o.Name):
			return fmt.Errorf("two fields of the output have the name %q", o.Name)
		case o.Width < 1:
			return fmt.Errorf("the output %s has a width of %d", o.Name, o.Width)
		}
		if err := oneOf("the kind of output "+o.Name, o.Kind, Number); err != nil {
			return err
		}
		names = append(names, o.Name)
	}
	return nil
}

func (c *Column) check() error {
	if (len(c.Path) == 0) == (len(c.Template) == 0) {
		return errors.New("it needs a path or a template")
	}
	switch c.Kind {
	case Category:
		return c.checkCategory()
	case Number:
		return c.checkNumber()
	}
	return oneOf("kind", c.Kind, Category, Number)
}

func (c *Column) checkCategory() error {
	if c.Null != "" || c.Text != "" || c.Limit != nil {
		return errors.New("null, text and limit are rules for numbers")
	}
	for _, p := range c.Template {
		if (len(p.Path) == 0) == (p.Text == "") {
			return errors.New("a part of its template needs a path or a text")
		}
	}
	if err := checkWords(c.Vocabulary); err != nil {
		return err
	}
	if len(c.Template) > 0 {
		if c.Missing != Refuse || c.Other != "" {
			return errors.New("a template has no text where a part of it is missing, and every other value is text")
		}
		return nil
	}
	return errors.Join(oneOf("missing", c.Missing, Refuse, None), oneOf("other", c.Other, Unknown, None))
}

func (c *Column) checkNumber() error {
	switch {
	case len(c.Template) > 0:
		return errors.New("a number has a path, not a template")
	case c.Vocabulary != nil || c.Other != "":
		return errors.New("a number has no words")
	case c.Limit != nil && !(*c.Limit > 0):
		return fmt.Errorf("its limit is %v", *c.Limit)
	}
	return errors.Join(
		oneOf("missing", c.Missing, Refuse, Zero), oneOf("null", c.Null, Refuse, NaN), oneOf("text", c.Text, Refuse, Zero))
}

// checkWords makes sure that a word has one code.
func checkWords(words []string) error {
	if len(words) == 0 {
		return errors.New("it has no words")
	}
	if len(words) > maxWords {
		return fmt.Errorf("it has %d words, and %d are the most", len(words), maxWords)
	}
	seen := make(map[string]bool, len(words))
	for _, w := range words {
		if seen[w] {
			return fmt.Errorf("its word %q is repeated", w)
		}
		seen[w] = true
	}
	return nil
}

// maxWords is the most words of a column: codes are exact in the graph's
// int32 and float32 as well.
const maxWords = 1 << 24

func oneOf(what, got string, want ...string) error {
	if slices.Contains(want, got) {
		return nil
	}
	return fmt.Errorf("%s is %q, not one of %s", what, got, strings.Join(want, ", "))
}
