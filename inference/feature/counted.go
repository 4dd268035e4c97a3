package feature

import (
	"github.com/skiff-ml/skiff/inference"
	"github.com/skiff-ml/skiff/inference/bundle"
	"github.com/skiff-ml/skiff/inference/jsonscan"
)

// A counted says where counts of the columns' values are kept: those of one
// name are one. Entries have none missing: most of a record's are.
type counted struct {
	names []string
	index map[string]int // of the names
	at    []int          // of each column, which of the names
	slots []slot
}

// A slot is where a value of a column is, and which of the names it has.
type slot struct{ found, name int }

func (c *counted) add(column *bundle.Column, paths *jsonscan.Builder) {
	name, known := c.index[column.Name]
	if !known {
		if c.index == nil {
			c.index = map[string]int{}
		}
		name = len(c.names)
		c.names, c.index[column.Name] = append(c.names, column.Name), name
	}
	c.at = append(c.at, name)
	if known || column.Kind != bundle.Number && column.Kind != bundle.Category {
		return
	}
	for _, end := range endsOf(column, paths) {
		c.slots = append(c.slots, slot{end, name})
	}
}

// Columns returns room for the counts of this plan's columns, all 0, in the same
// memory where that has room.
func (p *Plan) Columns(counts []inference.Column) []inference.Column {
	counts = counts[:0]
	for _, name := range p.counted.names {
		counts = append(counts, inference.Column{Name: name})
	}
	return counts
}

// Count adds what there is to say of the columns' values in the document that s
// encoded last.
func (p *Plan) Count(s *Scratch, counts []inference.Column) {
	for _, column := range s.unknown {
		counts[p.counted.at[column]].Unknown++
	}
	for _, at := range p.counted.slots {
		switch s.found[at.found].Kind {
		case jsonscan.Null:
			counts[at.name].Null++
			counts[at.name].Missing++
		case jsonscan.Absent:
			counts[at.name].Missing++
		default:
		}
	}
}

// EachUnknown calls see with each category of the document that s encoded last
// that training did not have, and its column. The text is good until see
// returns; what is no value, such as null, is left out.
func (p *Plan) EachUnknown(doc []byte, s *Scratch, see func(column int, text []byte)) {
	for _, column := range s.unknown {
		c, ok := p.columns[column].(spelled)
		if !ok {
			continue
		}
		if text, ok := c.spell(doc, s); ok {
			see(column, text)
		}
	}
}

// A spelled column can say what its value is, as text in the scratch.
type spelled interface {
	spell(doc []byte, s *Scratch) (text []byte, ok bool)
}

// spell implements spelled.
func (c *category) spell(doc []byte, s *Scratch) (text []byte, ok bool) {
	v, ok := c.place.find(s.found)
	if !ok || v.Kind == jsonscan.Null {
		return nil, false
	}
	s.text, ok = jsonscan.AppendStr(s.text[:0], doc, v)
	return s.text, ok
}

// spell implements spelled.
func (t *template) spell(doc []byte, s *Scratch) (text []byte, ok bool) {
	s.text = s.text[:0]
	for i := range t.parts {
		p := &t.parts[i]
		if p.place == nil {
			s.text = append(s.text, p.text...)
			continue
		}
		v, ok := p.place.find(s.found)
		if !ok || v.Kind == jsonscan.Null && !t.nullIsText {
			return nil, false
		}
		if s.text, ok = jsonscan.AppendStr(s.text, doc, v); !ok {
			return nil, false
		}
	}
	return s.text, true
}
