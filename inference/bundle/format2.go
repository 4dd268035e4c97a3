package bundle

import (
	"errors"
	"fmt"

	"github.com/skiff-ml/skiff/inference/jsonscan"
)

// manifest2 is a manifest of format 2: its outputs were numbers, as the graph
// has them; its words were text, and one rule was for null, a number, true and
// false; what was unknown was accepted.
type manifest2 struct {
	Header
	Outputs []Output `json:"outputs"`
	Columns []Column `json:"columns"`
}

// upgrade returns what it means in today's format.
func (m *manifest2) upgrade() (*Manifest, error) {
	for i := range m.Outputs {
		o := &m.Outputs[i]
		if o.Kind != Number || o.Link != "" || !o.plain() || o.Probabilities != nil || o.Margin != nil || o.Parts != nil {
			return nil, errors.New("labels and links are of format 3")
		}
		o.Link = Identity
	}
	for i := range m.Columns {
		c := &m.Columns[i]
		if err := c.upgrade2(); err != nil {
			return nil, columnError(i, c, err)
		}
	}
	return &Manifest{Header: m.Header, Outputs: m.Outputs, Columns: m.Columns}, nil
}

func (c *Column) upgrade2() error {
	switch {
	case c.Least != nil:
		return errors.New("least is of format 3")
	case c.Kind == Entry || c.Kind == OneWord || c.Kind == Constant:
		return fmt.Errorf("columns of kind %s are of format 3", c.Kind)
	case c.Default != nil || c.Min != nil || c.Max != nil || c.Time != nil || c.Missing == Default || c.Null == Default:
		return errors.New("default, min, max and time are of format 3")
	case c.Text == InText || c.Kind == Number && c.Null == Zero:
		return errors.New("numbers in text, and a null of 0, are of format 3")
	case c.Unknown != "":
		return errors.New("unknown is a rule of format 3")
	case len(c.Template) > 0 && c.Missing != Refuse:
		return errors.New("a template may be missing from format 3 on")
	case c.Missing == Null || c.Missing == NaN:
		return errors.New("missing is null or nan from format 3 on")
	case c.Kind != Category:
		return nil
	case c.Limit != nil:
		return errors.New("a category has a limit from format 3 on")
	case c.Null != "":
		return errors.New("null is a category's rule from format 3 on")
	case c.Other == Refuse:
		return errors.New("other is reject from format 3 on")
	}
	for i := range c.Vocabulary {
		if c.Vocabulary[i].Kind != jsonscan.Text {
			return errors.New("words are text up to format 2")
		}
	}
	c.Null, c.Unknown = c.Other, Accept
	return nil
}
