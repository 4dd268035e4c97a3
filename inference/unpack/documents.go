package unpack

import (
	"bytes"

	"github.com/skiff-ml/skiff/inference"
	"github.com/skiff-ml/skiff/inference/jsonscan"
)

// first returns the first byte of a document that is no space, 0 where it has
// none.
func first(data []byte) byte {
	if data = bytes.TrimLeft(data, " \n\t\r"); len(data) > 0 {
		return data[0]
	}
	return 0
}

// isList reports whether data is a list that documents are in. One of numbers,
// of text or of nothing is left to those who know what it is not.
func isList(data []byte) bool {
	if first(data) != '[' {
		return false
	}
	documents := false
	return jsonscan.Elements(data, func(_ []byte, kind jsonscan.Kind) bool {
		documents = documents || kind >= jsonscan.List
		return true
	}) && documents
}

// list adds the elements of a list. Those that are no documents are parts as
// well, to be rejected in their place.
func (u *Unpacker) list(key, data []byte, depth int, unzipped bool) (bool, *inference.Rejection) {
	room := true
	jsonscan.Elements(data, func(element []byte, kind jsonscan.Kind) bool {
		if kind == jsonscan.List {
			room = u.add(key, element, depth, unzipped)
		} else {
			room = u.part(Part{Key: key, Data: element})
		}
		return room
	})
	return room, nil
}

// isSeveral reports whether data is several documents, one behind the other.
func isSeveral(data []byte) bool {
	switch first(data) {
	case '{':
		if !jsonscan.MayBeMany(data) {
			return false
		}
	case '[':
	default:
		return false
	}
	return jsonscan.Documents(data, func([]byte, bool) bool { return true })
}

// several adds documents that are one behind the other, and what is no document
// between them, to be rejected in its place.
func (u *Unpacker) several(key, data []byte, depth int, unzipped bool) (bool, *inference.Rejection) {
	room := true
	jsonscan.Documents(data, func(document []byte, whole bool) bool {
		if whole && document[0] == '[' {
			room = u.add(key, document, depth, unzipped)
		} else {
			room = u.part(Part{Key: key, Data: document})
		}
		return room
	})
	return room, nil
}
