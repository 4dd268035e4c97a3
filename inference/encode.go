package inference

import (
	"math"
	"strconv"
	"strings"
)

// An encoder turns a record into a row of the model's input X, by the columns
// of a manifest. It is made once and holds no state of a record.
type encoder struct {
	paths   *pathTree
	slots   int
	columns []column
	id      place // zero where the output has no id
	widest  int   // room to build the longest known category in, bytes
}

// A place is where in a record something is: the slots from the record down
// to the value, and the path itself for errors.
type place struct {
	slots []int
	path  []string
}

// A column is a Column ready for use.
type column struct {
	number        bool
	place         place // unless it is a template
	template      []part
	missingIsZero bool
	nullIsNaN     bool
	textIsZero    bool
	alsoNumber    bool // a category that has a number's column beside it
	limit         float64
	codes         map[string]int32
}

type part struct {
	place place // or text, where that isn't empty
	text  string
}

// newEncoder compiles the manifest's columns.
func newEncoder(m *Manifest) *encoder {
	b := newPathBuilder()
	locate := func(path []string) place { return place{b.add(path), path} }
	e := &encoder{columns: make([]column, len(m.Columns))}
	for i, c := range m.Columns {
		col := &e.columns[i]
		col.number = c.Kind == "number"
		col.missingIsZero = c.Missing == "zero"
		col.nullIsNaN = c.Null == "nan"
		col.textIsZero = c.Text == "zero"
		if col.limit = c.Limit; col.limit == 0 {
			col.limit = math.Inf(1)
		}
		if len(c.Path) > 0 {
			col.place = locate(c.Path)
		}
		for _, p := range c.Template {
			if len(p.Path) > 0 {
				col.template = append(col.template, part{place: locate(p.Path)})
			} else {
				col.template = append(col.template, part{text: p.Text})
			}
		}
		if !col.number {
			col.codes = make(map[string]int32, len(c.Vocabulary))
			for j, v := range c.Vocabulary {
				col.codes[v] = int32(j + 1)
				e.widest = max(e.widest, len(v))
			}
		}
	}
	for i := range e.columns[1:] {
		e.columns[i].alsoNumber = m.Columns[i].Name == m.Columns[i+1].Name
	}
	if m.ID != nil {
		e.id = locate(m.ID.Path)
	}
	e.paths, e.slots = &b.root, b.slots
	return e
}

// A scratch is the memory an encoder works in. It belongs to one goroutine.
type scratch struct {
	found []value
	text  []byte
}

func (e *encoder) newScratch() *scratch {
	return &scratch{make([]value, e.slots), make([]byte, 0, e.widest)}
}

// An encoded is what encode finds in a record beside its row.
type encoded struct {
	id      value // of the kind absent where the output has no id
	unknown int   // categories that training did not have
}

// encode fills row, one float64 a column, from a record's bytes.
func (e *encoder) encode(doc []byte, row []float64, s *scratch) (encoded, Rejection) {
	var out encoded
	if !find(doc, e.paths, s.found) {
		return out, Rejection{Reason: NotJSON}
	}
	for i := range e.columns {
		c := &e.columns[i]
		var r Rejection
		if c.number {
			row[i], r = c.encodeNumber(doc, s)
		} else {
			var code int32
			code, r = c.encodeCategory(doc, s)
			if code == unknownCategory {
				out.unknown++
				code = 0
			}
			row[i] = float64(code)
		}
		if r.rejected() {
			return out, r
		}
	}
	if e.id.slots != nil {
		var r Rejection
		if out.id, r = e.id.find(s.found); r.rejected() {
			return out, r
		}
	}
	return out, Rejection{}
}

// find returns the value at p. It is a rejection when a key on the way is
// missing, or holds something that has no keys.
func (p *place) find(found []value) (value, Rejection) {
	for depth, slot := range p.slots[:len(p.slots)-1] {
		switch found[slot].kind {
		case object:
		case absent:
			return value{}, Rejection{MissingField, strings.Join(p.path[:depth], ".")}
		default:
			return value{}, Rejection{WrongType, strings.Join(p.path[:depth], ".")}
		}
	}
	v := found[p.slots[len(p.slots)-1]]
	if v.kind == absent {
		return v, Rejection{MissingField, p.field()}
	}
	return v, Rejection{}
}

func (p *place) field() string { return strings.Join(p.path, ".") }

// The codes of a category that are no place in the vocabulary: both go to the
// model as 0, the first as nothing to wonder at.
const (
	noCategory      = 0
	unknownCategory = -1
)

// encodeCategory returns the category's code: 1 + its index in the vocabulary.
func (c *column) encodeCategory(doc []byte, s *scratch) (int32, Rejection) {
	s.text = s.text[:0]
	if c.template != nil {
		if r := c.fill(doc, s); r.rejected() {
			return 0, r
		}
	} else {
		v, r := c.place.find(s.found)
		switch {
		case r.Reason == MissingField && c.missingIsZero:
			return noCategory, Rejection{}
		case r.rejected():
			return 0, r
		}
		switch v.kind {
		case text:
			s.text = appendText(s.text, doc, v)
		case list, object:
			return 0, Rejection{WrongType, c.place.field()}
		default: // a number's name is not in the vocabulary, which has name=value
			if c.alsoNumber {
				return noCategory, Rejection{}
			}
			return unknownCategory, Rejection{}
		}
	}
	if code, ok := c.codes[string(s.text)]; ok {
		return code, Rejection{}
	}
	return unknownCategory, Rejection{}
}

// fill builds the template's text in s.
func (c *column) fill(doc []byte, s *scratch) Rejection {
	for i := range c.template {
		p := &c.template[i]
		if p.text != "" {
			s.text = append(s.text, p.text...)
			continue
		}
		v, r := p.place.find(s.found)
		if r.rejected() {
			return r
		}
		var ok bool
		if s.text, ok = appendStr(s.text, doc, v); !ok {
			return Rejection{WrongType, p.place.field()}
		}
	}
	return Rejection{}
}

// encodeNumber returns the number as the model gets it.
func (c *column) encodeNumber(doc []byte, s *scratch) (float64, Rejection) {
	v, r := c.place.find(s.found)
	switch {
	case r.Reason == MissingField && c.missingIsZero:
		return 0, Rejection{}
	case r.rejected():
		return 0, r
	}
	switch v.kind {
	case integer, float:
		f, err := strconv.ParseFloat(string(doc[v.start:v.end]), 64)
		if err != nil || math.Abs(f) >= c.limit {
			return 0, Rejection{NotFinite, c.place.field()}
		}
		return f, Rejection{}
	case boolean:
		if doc[v.start] == 't' {
			return 1, Rejection{}
		}
		return 0, Rejection{}
	case null:
		if c.nullIsNaN {
			return math.NaN(), Rejection{}
		}
	case text:
		if c.textIsZero {
			return 0, Rejection{}
		}
	}
	return 0, Rejection{WrongType, c.place.field()}
}
