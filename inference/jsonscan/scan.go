package jsonscan

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/bits"
	"unicode/utf8"
)

const (
	maxDepth     = 1000 // nesting; Python's recursion limit
	maxIntDigits = 4300 // digits of an integer; Python's sys.int_info.default_max_str_digits
)

// Find parses the whole of doc and fills found, one value a slot of tree. It
// reports whether doc is JSON.
func Find(doc []byte, tree *Tree, found []Value) bool {
	clear(found)
	p := parser{doc: doc, found: found}
	return p.document(tree)
}

// FindEach is Find for a tree that has a list's elements to look at: it appends
// the values of each, width of them, to elements. It gives up after one element
// more than most.
func FindEach(doc []byte, tree *Tree, found, elements []Value, width, most int) ([]Value, bool) {
	clear(found)
	p := parser{doc: doc, found: found, elements: elements, width: width, most: most * width}
	ok := p.document(tree)
	return p.elements, ok
}

// A parser is at a place in a document. Its methods move it past what they
// are named after and report whether that was there.
type parser struct {
	doc      []byte
	at       int
	found    []Value
	elements []Value
	width    int // values of an element
	most     int // values in elements
}

// document moves past a document that is nothing but one value.
func (p *parser) document(tree *Tree) bool {
	if len(p.doc) > math.MaxInt32 || !utf8.Valid(p.doc) || !p.value(tree, 0) {
		return false
	}
	p.space()
	return p.at == len(p.doc)
}

func (p *parser) space() {
	for p.at < len(p.doc) {
		switch p.doc[p.at] {
		case ' ', '\n', '\t', '\r':
			p.at++
		default:
			return
		}
	}
}

// peek returns the next byte that isn't space, 0 at the end.
func (p *parser) peek() byte {
	if p.at < len(p.doc) && p.doc[p.at] > ' ' {
		return p.doc[p.at]
	}
	return p.peekFar()
}

// peekFar is peek for when that takes more than a look, so that peek itself is
// inlined.
func (p *parser) peekFar() byte {
	p.space()
	if p.at == len(p.doc) {
		return 0
	}
	return p.doc[p.at]
}

// skip moves past c if that is next.
func (p *parser) skip(c byte) bool {
	if p.at < len(p.doc) && p.doc[p.at] == c {
		p.at++
		return true
	}
	return false
}

// value moves past any value. Where node isn't nil it keeps the value, and
// what node has below it.
func (p *parser) value(node *Tree, depth int) bool {
	c := p.peek()
	v := Value{Start: int32(p.at)} //nolint:gosec // document checks the length
	ok := false
	switch c {
	case '{':
		v.Kind = Object
		ok = depth < maxDepth && p.object(node, depth)
	case '[':
		v.Kind = List
		ok = depth < maxDepth && p.list(node, depth)
	case '"':
		v.Kind = Text
		v.Escaped, ok = p.text()
	case 't':
		v.Kind = Boolean
		ok = p.literal("true")
	case 'f':
		v.Kind = Boolean
		ok = p.literal("false")
	case 'n':
		v.Kind = Null
		ok = p.literal("null")
	default:
		v.Kind, ok = p.number()
	}
	if ok && node != nil {
		v.End = int32(p.at) //nolint:gosec // document checks the length
		p.found[node.slot] = v
	}
	return ok
}

func (p *parser) object(node *Tree, depth int) bool {
	p.at++
	if p.peek() == '}' {
		p.at++
		return true
	}
	for {
		if p.peek() != '"' {
			return false
		}
		start := p.at
		escaped, ok := p.text()
		if !ok {
			return false
		}
		var child *Tree
		if node != nil && len(node.children) > 0 {
			key := p.doc[start+1 : p.at-1]
			if escaped {
				key = unescape(nil, key)
			}
			child = node.child(key)
			if child != nil && p.found[child.slot].Kind != Absent {
				child.forget(p.found) // the last of equal keys wins
			}
		}
		if p.peek(); !p.skip(':') {
			return false
		}
		if !p.value(child, depth+1) {
			return false
		}
		switch p.peek() {
		case ',':
			p.at++
		case '}':
			p.at++
			return true
		default:
			return false
		}
	}
}

func (p *parser) list(node *Tree, depth int) bool {
	var element *Tree
	if node != nil && node.element != nil {
		element = node.element
		p.elements = p.elements[:0]
		defer func(outer []Value) { p.found = outer }(p.found)
	}
	p.at++
	if p.peek() == ']' {
		p.at++
		return true
	}
	for {
		if element != nil {
			if len(p.elements) > p.most {
				return false
			}
			p.found = p.next()
		}
		if !p.value(element, depth+1) {
			return false
		}
		switch p.peek() {
		case ',':
			p.at++
		case ']':
			p.at++
			return true
		default:
			return false
		}
	}
}

// next returns the memory of one element more, empty.
func (p *parser) next() []Value {
	n := len(p.elements)
	if cap(p.elements) < n+p.width {
		p.elements = append(p.elements[:cap(p.elements)], make([]Value, p.width)...)
	}
	p.elements = p.elements[:n+p.width]
	element := p.elements[n:]
	clear(element)
	return element
}

// text moves past a string, and reports whether there is a backslash in it.
func (p *parser) text() (escaped, ok bool) {
	p.at++
	for {
		p.plain()
		if p.at == len(p.doc) {
			return escaped, false
		}
		switch c := p.doc[p.at]; {
		case c == '"':
			p.at++
			return escaped, true
		case c == '\\':
			escaped = true
			if !p.escape() {
				return escaped, false
			}
		case c < ' ':
			return escaped, false
		default:
			p.at++
		}
	}
}

// plain moves past most of the bytes that mean nothing in a string, eight at a
// time: most of an event is long strings.
func (p *parser) plain() {
	const (
		ones  = 0x0101010101010101
		highs = 0x80 * ones
	)
	at := p.at
	for ; at+8 <= len(p.doc); at += 8 {
		x := binary.LittleEndian.Uint64(p.doc[at:])
		ends := x ^ 2*ones // a quote, 0x22, becomes 0x20; what is less than a space still is
		backslash := x ^ '\\'*ones
		// a byte's high bit comes out set where it borrows: where it is less than what is taken off
		if special := ((ends - 0x21*ones) &^ ends) | ((backslash - ones) &^ backslash); special&highs != 0 {
			// the lowest bit set is right, those above it may be carried there
			at += bits.TrailingZeros64(special&highs) / 8
			break
		}
	}
	p.at = at
}

func (p *parser) escape() bool {
	p.at++
	if p.at == len(p.doc) {
		return false
	}
	switch p.doc[p.at] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		p.at++
		return true
	case 'u':
		if _, ok := hex4(p.doc[p.at+1:]); !ok {
			return false
		}
		p.at += 5
		return true
	}
	return false
}

func (p *parser) literal(word string) bool {
	if !bytes.HasPrefix(p.doc[p.at:], []byte(word)) {
		return false
	}
	p.at += len(word)
	return true
}

func (p *parser) number() (Kind, bool) {
	p.skip('-')
	start := p.at
	if !p.skip('0') && !p.digits() {
		return Absent, false
	}
	k := Integer
	if p.at-start > maxIntDigits {
		k = Absent // an error, unless a fraction or an exponent follows
	}
	if p.skip('.') {
		k = Float
		if !p.digits() {
			return Absent, false
		}
	}
	if p.skip('e') || p.skip('E') {
		k = Float
		if !p.skip('+') {
			p.skip('-')
		}
		if !p.digits() {
			return Absent, false
		}
	}
	return k, k != Absent
}

// digits moves past one digit or more.
func (p *parser) digits() bool {
	start := p.at
	for p.at < len(p.doc) && p.doc[p.at]-'0' <= 9 {
		p.at++
	}
	return p.at > start
}
