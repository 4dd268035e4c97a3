package inference

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

// This file reads JSON in one pass, and keeps of it only what a pathTree asks
// for. The worker reads what Python's json module reads, and means the same by
// it: keys are exact, the last of equal keys wins, bad UTF-8 is an error, text
// keeps its escapes until somebody needs it. Unlike Python it takes no NaN and
// no Infinity, and encoding/json differs in each of the first three.

const (
	maxDepth     = 1000 // nesting; Python's recursion limit
	maxIntDigits = 4300 // digits of an integer; Python's sys.int_info.default_max_str_digits
)

// kind is the type of a JSON value.
type kind uint8

const (
	absent kind = iota
	null
	boolean
	integer // a number without fraction and exponent
	float
	text
	list
	object
)

// A value is where a document holds a value: doc[start:end] is its JSON text.
type value struct {
	kind       kind
	escaped    bool // text with a backslash in it
	start, end int32
}

// A pathTree holds the paths to look for in a document; each node of it has a
// slot for the value found there.
type pathTree struct {
	key      string
	slot     int
	children []*pathTree
	element  *pathTree // what to look for in each element of a list; its slots are the last
}

// A pathBuilder makes a pathTree out of paths.
type pathBuilder struct {
	root  pathTree
	slots int
}

func newPathBuilder() *pathBuilder { return &pathBuilder{slots: 1} }

// add returns the slots along path, from the document's own to the value's.
func (b *pathBuilder) add(path []string) []int {
	node := &b.root
	slots := []int{node.slot}
	for _, key := range path {
		child := node.child([]byte(key))
		if child == nil {
			child = &pathTree{key: key, slot: b.slots}
			b.slots++
			node.children = append(node.children, child)
		}
		node = child
		slots = append(slots, node.slot)
	}
	return slots
}

func (t *pathTree) child(key []byte) *pathTree {
	for _, c := range t.children {
		if c.key == string(key) {
			return c
		}
	}
	return nil
}

// forget empties the slots of t and below.
func (t *pathTree) forget(found []value) {
	found[t.slot] = value{}
	for _, c := range t.children {
		c.forget(found)
	}
	if t.element != nil {
		t.element.forget(found)
	}
}

// find parses the whole of doc and fills found, one value a slot of tree. It
// reports whether doc is JSON.
func find(doc []byte, tree *pathTree, found []value) bool {
	clear(found)
	p := parser{doc: doc, found: found}
	return p.document(tree)
}

// findEach is find for a tree with an element: it appends all of found once
// for every element of that list. It gives up after one element more than most.
func findEach(doc []byte, tree *pathTree, found, elements []value, most int) ([]value, bool) {
	clear(found)
	p := parser{doc: doc, found: found, elements: elements, most: most * len(found)}
	ok := p.document(tree)
	return p.elements, ok
}

// A parser is at a place in a document. Its methods move it past what they
// are named after and report whether that was there.
type parser struct {
	doc      []byte
	at       int
	found    []value
	elements []value
	most     int // values in elements
}

// document moves past a document that is nothing but one value.
func (p *parser) document(tree *pathTree) bool {
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
func (p *parser) value(node *pathTree, depth int) bool {
	c := p.peek()
	v := value{start: int32(p.at)} //nolint:gosec // document checks the length
	ok := false
	switch c {
	case '{':
		v.kind = object
		ok = depth < maxDepth && p.object(node, depth)
	case '[':
		v.kind = list
		ok = depth < maxDepth && p.list(node, depth)
	case '"':
		v.kind = text
		v.escaped, ok = p.text()
	case 't':
		v.kind = boolean
		ok = p.literal("true")
	case 'f':
		v.kind = boolean
		ok = p.literal("false")
	case 'n':
		v.kind = null
		ok = p.literal("null")
	default:
		v.kind, ok = p.number()
	}
	if ok && node != nil {
		v.end = int32(p.at) //nolint:gosec // document checks the length
		p.found[node.slot] = v
	}
	return ok
}

func (p *parser) object(node *pathTree, depth int) bool {
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
		var child *pathTree
		if node != nil && len(node.children) > 0 {
			key := p.doc[start+1 : p.at-1]
			if escaped {
				key = unescape(nil, key)
			}
			child = node.child(key)
			if child != nil && p.found[child.slot].kind != absent {
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

func (p *parser) list(node *pathTree, depth int) bool {
	var element *pathTree
	if node != nil && node.element != nil {
		element = node.element
		p.elements = p.elements[:0]
	}
	p.at++
	if p.peek() == ']' {
		p.at++
		return true
	}
	for {
		if element != nil {
			clear(p.found[element.slot:])
		}
		if !p.value(element, depth+1) {
			return false
		}
		if element != nil {
			if p.elements = append(p.elements, p.found...); len(p.elements) > p.most {
				return false
			}
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

func (p *parser) number() (kind, bool) {
	p.skip('-')
	start := p.at
	if !p.skip('0') && !p.digits() {
		return absent, false
	}
	k := integer
	if p.at-start > maxIntDigits {
		k = absent // an error, unless a fraction or an exponent follows
	}
	if p.skip('.') {
		k = float
		if !p.digits() {
			return absent, false
		}
	}
	if p.skip('e') || p.skip('E') {
		k = float
		if !p.skip('+') {
			p.skip('-')
		}
		if !p.digits() {
			return absent, false
		}
	}
	return k, k != absent
}

// digits moves past one digit or more.
func (p *parser) digits() bool {
	start := p.at
	for p.at < len(p.doc) && p.doc[p.at]-'0' <= 9 {
		p.at++
	}
	return p.at > start
}

// unescape appends the text that s, the inside of a valid JSON string, stands
// for. Half of a surrogate pair becomes the three bytes that UTF-8 would have
// for it: no valid text is equal to that.
func unescape(dst, s []byte) []byte {
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			dst = append(dst, s[i])
			continue
		}
		i++
		switch s[i] {
		case 'b':
			dst = append(dst, '\b')
		case 'f':
			dst = append(dst, '\f')
		case 'n':
			dst = append(dst, '\n')
		case 'r':
			dst = append(dst, '\r')
		case 't':
			dst = append(dst, '\t')
		case 'u':
			r, _ := hex4(s[i+1:])
			i += 4
			if rest := s[i+1:]; utf16.IsSurrogate(r) && len(rest) >= 6 && rest[0] == '\\' && rest[1] == 'u' {
				low, _ := hex4(rest[2:])
				if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
					dst = utf8.AppendRune(dst, pair)
					i += 6
					continue
				}
			}
			if utf16.IsSurrogate(r) {
				dst = append(dst, 0xE0|byte(r>>12), 0x80|byte(r>>6)&0x3F, 0x80|byte(r)&0x3F) //nolint:gosec // the low bits are meant
			} else {
				dst = utf8.AppendRune(dst, r)
			}
		default: // a quote, a slash, a backslash
			dst = append(dst, s[i])
		}
	}
	return dst
}

func hex4(s []byte) (rune, bool) {
	if len(s) < 4 {
		return 0, false
	}
	var r rune
	for _, c := range s[:4] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}
