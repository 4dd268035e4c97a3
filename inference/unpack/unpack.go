package unpack

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"

	"github.com/skiff-ml/skiff/inference"
	"github.com/skiff-ml/skiff/inference/jsonscan"
	"github.com/skiff-ml/skiff/inference/kpl"
)

// The bounds of one record. A record has up to 1 MiB, or 10 MiB where its stream
// is set to that; JSON, which repeats its keys, is a tenth of its size when it
// is compressed, and a bomb a thousandth.
const (
	MaxBytes     = 16 << 20 // that come out of what is compressed in it, all in all
	MaxDocuments = 100_000
	maxDepth     = 8 // of one in the other
)

// A Part is one document of a record, or what there is instead of one.
type Part struct {
	Key       []byte // the partition key that it has inside the record; nil where it has none of its own
	Data      []byte
	Rejection *inference.Rejection // of what could not be unpacked; otherwise nil
}

// An Unpacker takes records apart. It is used again, by one at a time; what it
// returns is not in its own memory.
type Unpacker struct {
	formats Formats
	parts   []Part
	left    int // bytes that may still come out of the record
	total   int // that came out of all records
	most    int // parts, with those of earlier records
	spare   []byte

	source bytes.Reader
	gzip   gzip.Reader
	zlib   io.ReadCloser // nil before the first
}

// New returns an Unpacker of these formats.
func New(formats Formats) *Unpacker { return &Unpacker{formats: formats} }

// Reset forgets what was unpacked so far.
func (u *Unpacker) Reset() { u.total, u.spare = 0, nil }

// Total returns how many bytes came out of what was compressed, since Reset.
func (u *Unpacker) Total() int { return u.total }

// IsPlain reports whether a record can only be itself: most are one JSON object,
// for which there is nothing to do.
func (u *Unpacker) IsPlain(record []byte) bool {
	if len(record) == 0 || u.formats == 0 {
		return true
	}
	switch record[0] {
	case '{':
		return u.formats&JSON == 0 || !jsonscan.MayBeMany(record)
	case 0x1f, 0xf3, '[', ' ', '\n', '\t', '\r':
		return false
	}
	return u.formats&Zlib == 0 || !isZlib(record)
}

// Unpack appends the parts of a record, in order. A record that is nothing known
// is its only part, without a key; one that holds nothing to predict for, as
// CloudWatch Logs checks its subscribers with, has none.
func (u *Unpacker) Unpack(parts []Part, record []byte) []Part {
	u.parts, u.left, u.most = parts, MaxBytes, len(parts)+MaxDocuments
	if !u.add(nil, record, 0, false) {
		// the innermost of several has been rejected instead, so that this is not reached
		u.parts = append(parts, Part{Data: record, Rejection: tooMany()})
	}
	parts, u.parts = u.parts, nil
	return parts
}

// add adds what data holds. It reports whether there was room for all of it.
func (u *Unpacker) add(key, data []byte, depth int, unzipped bool) bool {
	var open func(key, data []byte, depth int, unzipped bool) (ok bool, why *inference.Rejection)
	switch {
	case u.formats&KPL != 0 && kpl.Is(data):
		open = u.aggregate
	case u.formats&Gzip != 0 && isGzip(data):
		open = u.gunzip
	case u.formats&Zlib != 0 && isZlib(data):
		open = u.inflate
	case u.formats&Logs != 0 && unzipped && isLogs(data):
		open = u.logs
	case u.formats&JSON != 0 && isList(data):
		open = u.list
	case u.formats&JSON != 0 && isSeveral(data):
		open = u.several
	default:
		return u.part(Part{Key: key, Data: data})
	}
	mark := len(u.parts)
	ok, why := false, tooDeep()
	if depth < maxDepth {
		ok, why = open(key, data, depth+1, unzipped)
	}
	if ok {
		return true
	}
	u.parts = u.parts[:mark]
	if why == nil {
		why = tooMany()
	}
	return u.part(Part{key, data, why})
}

// part adds a part, and reports whether there was room for it.
func (u *Unpacker) part(p Part) bool {
	if len(u.parts) == u.most {
		return false
	}
	u.parts = append(u.parts, p)
	return true
}

// aggregate adds what an aggregate's records hold.
func (u *Unpacker) aggregate(_, data []byte, depth int, unzipped bool) (bool, *inference.Rejection) {
	a, err := kpl.Read(data, MaxDocuments)
	switch {
	case err == kpl.ErrMany: //nolint:errorlint // it is never wrapped
		return false, tooMany()
	case err != nil:
		return false, damaged("a KPL aggregate", err)
	case a.Len() == 0:
		return false, &inference.Rejection{Reason: inference.NotJSON, Detail: "it is a KPL aggregate of no records"}
	}
	for key, data := range a.All() {
		if !u.add(key, data, depth, unzipped) {
			return false, nil
		}
	}
	return true, nil
}

func damaged(what string, err error) *inference.Rejection {
	return &inference.Rejection{Reason: inference.NotJSON, Detail: fmt.Sprintf("it is %s and damaged: %v", what, err)}
}

func tooMany() *inference.Rejection {
	return &inference.Rejection{Reason: inference.TooLarge, Detail: fmt.Sprintf("it holds more than %d documents", MaxDocuments)}
}

func tooDeep() *inference.Rejection {
	return &inference.Rejection{Reason: inference.TooLarge, Detail: fmt.Sprintf("it is packed more than %d times", maxDepth)}
}
