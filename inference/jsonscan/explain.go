package jsonscan

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"unicode/utf8"
)

// Explain says in a few words why doc, which [Find] refused, is no JSON: what
// it is instead, where producers are known to send that, or else the first byte
// that is wrong. It says nothing of what doc holds.
func Explain(doc []byte) string {
	if len(doc) == 0 {
		return "it is empty"
	}
	for _, f := range foreign() {
		if f.is(doc) {
			return "it is " + f.name
		}
	}
	if n := documents(doc); n > 1 {
		return fmt.Sprintf("it holds %d JSON documents, not one", n)
	}
	if inner, ok := unbase64(doc); ok {
		if len(inner) > 0 && (inner[0] == '{' || inner[0] == '[') {
			return "it is JSON in base64: the producer encodes it, and so does Kinesis"
		}
	}
	return fault(doc)
}

// A format is one that streams carry instead of JSON, told by its first bytes.
type format struct {
	name string
	is   func(doc []byte) bool
}

// foreign returns the formats, by the marks that their specifications give.
func foreign() []format {
	starts := func(mark string) func([]byte) bool {
		return func(doc []byte) bool { return bytes.HasPrefix(doc, []byte(mark)) }
	}
	return []format{
		{"compressed with gzip", starts("\x1f\x8b")},                       // RFC 1952, 2.3.1
		{"compressed with zlib", isZlib},                                   // RFC 1950, 2.2
		{"compressed with zstd", starts("\x28\xb5\x2f\xfd")},               // RFC 8878, 3.1.1
		{"a KPL aggregate of several records", starts("\xf3\x89\x9a\xc2")}, // aggregation-format.md of amazon-kinesis-producer
		{"JSON behind a UTF-8 byte order mark", starts("\xef\xbb\xbf")},
		{"UTF-16, and JSON is UTF-8", isUTF16},
	}
}

// isZlib reports whether doc starts as deflate in zlib's format does.
func isZlib(doc []byte) bool {
	const deflate = 0x08
	return len(doc) > 2 && doc[0]&0x0f == deflate && doc[0]>>4 <= 7 && binary.BigEndian.Uint16(doc)%31 == 0
}

// isUTF16 reports whether doc starts with UTF-16's byte order mark, or with a
// bracket of two bytes.
func isUTF16(doc []byte) bool {
	if len(doc) < 2 {
		return false
	}
	switch binary.BigEndian.Uint16(doc) {
	case 0xfeff, 0xfffe, '{', '[', '{' << 8, '[' << 8:
		return true
	}
	return false
}

// documents counts the JSON documents that doc is made of, one behind the
// other; 0 where it is not made of such.
func documents(doc []byte) int {
	if !utf8.Valid(doc) {
		return 0
	}
	p := parser{doc: doc}
	n := 0
	for p.peek() != 0 {
		if !p.value(nil, 0) {
			return 0
		}
		n++
	}
	return n
}

// unbase64 returns what doc stands for, if it is base64.
func unbase64(doc []byte) ([]byte, bool) {
	doc = bytes.TrimSpace(doc)
	inner := make([]byte, base64.StdEncoding.DecodedLen(len(doc)))
	n, err := base64.StdEncoding.Decode(inner, doc)
	return inner[:n], err == nil
}

// fault names the byte at which doc stops to be JSON.
func fault(doc []byte) string {
	if !utf8.Valid(doc) {
		at := 0
		for at < len(doc) {
			r, size := utf8.DecodeRune(doc[at:])
			if r == utf8.RuneError && size == 1 {
				break
			}
			at += size
		}
		return fmt.Sprintf("byte %d, 0x%02x, is not UTF-8", at, doc[at])
	}
	p := parser{doc: doc}
	if p.value(nil, 0) {
		p.space()
	}
	if p.at >= len(doc) {
		return fmt.Sprintf("it ends after %d bytes, in the middle", len(doc))
	}
	return fmt.Sprintf("byte %d, 0x%02x, does not belong there", p.at, doc[p.at])
}

// Valid reports whether doc is a JSON object or list.
func Valid(doc []byte) bool {
	var root [1]Value
	return Find(doc, &Tree{}, root[:]) && root[0].Kind >= List
}

// Length returns how many elements a list has, which is JSON.
func Length(list []byte) int {
	b := NewBuilder()
	b.Each()
	var found [1]Value
	elements, _ := FindEach(list, b.Tree(), found[:], nil, 1, len(list))
	return len(elements)
}

// Texts calls each with the elements of a list in doc, as long as they are text,
// and reports whether all are.
func Texts(doc []byte, list Value, each func(Value)) bool {
	p := parser{doc: doc[:list.End], at: int(list.Start) + 1}
	if p.peek() == ']' {
		return true
	}
	for p.peek() == '"' {
		v := Value{Kind: Text, Start: int32(p.at)} //nolint:gosec // Find checked the length
		v.Escaped, _ = p.text()
		v.End = int32(p.at) //nolint:gosec // likewise
		each(v)
		if p.peek(); !p.skip(',') {
			return true
		}
	}
	return false
}
