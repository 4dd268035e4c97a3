package feature

import (
	"github.com/skiff-ml/skiff/inference"
	"github.com/skiff-ml/skiff/inference/bundle"
	"github.com/skiff-ml/skiff/inference/jsonscan"
)

// A Plan turns a document into a row of the model's input X, by the columns of
// a manifest. It is made once and holds no state of a document.
type Plan struct {
	paths   *jsonscan.Tree
	slots   int
	columns []column
	id      *place // nil where the output has no id
	widest  int    // room to build the longest known category in, bytes

	refusesEmpty bool
	ends         []int    // the slots of all columns' values
	names        []string // of all columns
	counted      counted
}

// A column is one of the manifest's, ready for use. It returns what the row
// gets, and whether that is a category which training did not have.
type column interface {
	encode(doc []byte, s *Scratch) (x float64, unknown bool, r *inference.Rejection)
}

// Compile makes a plan of a manifest's columns, and the id's place.
func Compile(columns []bundle.Column, id *bundle.IDField) *Plan {
	paths := jsonscan.NewBuilder()
	p := &Plan{columns: make([]column, len(columns))}
	for i := range columns {
		switch c := &columns[i]; {
		case c.Kind == bundle.Constant:
			p.columns[i] = compileConstant(c)
		case c.Kind == bundle.OneWord:
			p.columns[i] = compileWord(c, paths)
		case c.Kind == bundle.Entry:
			p.columns[i] = compileEntry(c, paths)
		case c.Kind == bundle.Number:
			p.columns[i] = compileNumber(c, paths)
		case len(c.Template) > 0:
			p.columns[i] = compileTemplate(c, paths)
		default:
			p.columns[i] = compileCategory(c, paths)
		}
		p.ends, p.names = append(p.ends, endsOf(&columns[i], paths)...), append(p.names, columns[i].Name)
		p.counted.add(&columns[i], paths)
		for _, word := range columns[i].Vocabulary {
			p.widest = max(p.widest, len(word.Text))
		}
	}
	if id != nil {
		p.id = locate(paths, id.Path)
	}
	p.paths, p.slots = paths.Tree(), paths.Slots()
	return p
}

// endsOf returns the slots of all values that a column is made of.
func endsOf(c *bundle.Column, paths *jsonscan.Builder) (slots []int) {
	end := func(path []string) {
		if len(path) > 0 {
			at := paths.Add(path...)
			slots = append(slots, at[len(at)-1])
		}
	}
	end(c.Path)
	for i := range c.Template {
		end(c.Template[i].Path)
	}
	for i := range c.Words {
		end(c.Words[i].Path)
	}
	return slots
}

// Width returns how many columns a row has.
func (p *Plan) Width() int { return len(p.columns) }

// A Scratch is the memory a plan works in. It belongs to one goroutine.
type Scratch struct {
	found   []jsonscan.Value
	text    []byte
	unknown []int // columns of the last document with a category that training did not have
}

// NewScratch returns the memory for one goroutine.
func (p *Plan) NewScratch() *Scratch {
	return &Scratch{make([]jsonscan.Value, p.slots), make([]byte, 0, p.widest), nil}
}

// An Encoded is what Encode finds in a document beside its row.
type Encoded struct {
	ID      jsonscan.Value // absent where there is none
	Unknown int            // categories that training did not have
}

// Encode fills row, one float64 a column, from a document. A rejected document
// may have an id all the same.
func (p *Plan) Encode(doc []byte, row []float64, s *Scratch) (Encoded, *inference.Rejection) {
	var out Encoded
	s.unknown = s.unknown[:0]
	if !jsonscan.Find(doc, p.paths, s.found) {
		return out, &inference.Rejection{Reason: inference.NotJSON, Detail: jsonscan.Explain(doc)}
	}
	for i, c := range p.columns {
		x, unknown, r := c.encode(doc, s)
		if r != nil {
			if p.id != nil {
				out.ID, _ = p.id.find(s.found)
			}
			return out, describeRoot(r, doc, s.found[0])
		}
		if row[i] = x; unknown {
			out.Unknown++
			s.unknown = append(s.unknown, i)
		}
	}
	if p.refusesEmpty && p.isEmpty(s.found) {
		if p.id != nil {
			out.ID, _ = p.id.find(s.found)
		}
		return out, p.noFeature()
	}
	if p.id != nil {
		var ok bool
		if out.ID, ok = p.id.find(s.found); !ok {
			return out, describeRoot(p.id.reject(s.found, "an id"), doc, s.found[0])
		}
	}
	return out, nil
}
