package jsonscan

import (
	"bytes"
	"math"
)

// mostAgain is how often bytes are read again, on average, for documents that
// are no JSON.
const mostAgain = 4

// MayBeMany reports whether an object, whose text doc is, may be several one
// behind the other. It looks only for where one could end and another start,
// which no JSON document has outside its texts.
func MayBeMany(doc []byte) bool {
	for {
		at := bytes.IndexByte(doc, '}')
		if at < 0 || at+1 == len(doc) {
			return false
		}
		doc = doc[at+1:]
		for at = 0; at+1 < len(doc) && doc[at] <= ' '; {
			at++
		}
		if doc[at] == '{' || doc[at] == '[' {
			return true
		}
	}
}

// Documents calls each with the documents that doc is made of, objects and
// lists, one behind the other, with or without space between them. One that is
// no JSON ends before the next line that starts an object, and whole is false
// for it. It reports whether doc is made of several, or of one that is a list,
// and one of them at least is whole; if not, what each was called with means
// nothing. It looks at no text's UTF-8, and gives up on what makes it read the
// same bytes over and over. Each ends it by returning false.
func Documents(doc []byte, each func(document []byte, whole bool) bool) bool {
	if len(doc) > math.MaxInt32 {
		return false
	}
	p := parser{doc: doc}
	all, whole, again := 0, 0, 0
	for p.peek() != 0 || p.at < len(doc) {
		if c := p.peek(); c != '{' && c != '[' {
			return false
		}
		start := p.at
		ok := p.value(nil, 0)
		if ok {
			whole++
		} else {
			end := start + nextLine(doc[start:])
			if again += max(p.at-end, 0); again > mostAgain*len(doc) {
				return false
			}
			p.at = end
		}
		all++
		if !each(bytes.TrimSpace(doc[start:p.at]), ok) {
			return true
		}
	}
	return whole > 0 && all > 1
}

// nextLine returns where the next line is that starts an object, or else the
// end.
func nextLine(doc []byte) int {
	if at := bytes.Index(doc, []byte("\n{")); at >= 0 {
		return at + 1
	}
	return len(doc)
}

// Elements calls each with the elements of a list and their kinds, and reports
// whether doc is one list and nothing else. Where it is not, what each was
// called with means nothing. Each ends it by returning false.
func Elements(doc []byte, each func(element []byte, kind Kind) bool) bool {
	if len(doc) > math.MaxInt32 {
		return false
	}
	p := parser{doc: doc}
	if p.peek() != '[' {
		return false
	}
	p.at++
	if p.peek() == ']' {
		p.at++
		return p.peek() == 0 && p.at == len(doc)
	}
	var found [1]Value
	var any Tree
	p.found = found[:]
	for {
		if !p.value(&any, 1) {
			return false
		}
		if v := found[0]; !each(v.Raw(doc), v.Kind) {
			return true
		}
		switch p.peek() {
		case ',':
			p.at++
		case ']':
			p.at++
			return p.peek() == 0 && p.at == len(doc)
		default:
			return false
		}
	}
}
