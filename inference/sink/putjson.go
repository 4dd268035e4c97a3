package sink

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"math/bits"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"
)

// appendRequest appends the body of a PutRecords request as the SDK writes it,
// byte for byte. It reports that it does not do that where a request has what
// those of predictions have not: strings to be escaped, other members.
func appendRequest(dst []byte, in *kinesis.PutRecordsInput) (body []byte, ok bool) {
	if len(in.Records) == 0 || in.DryRun != nil || in.StreamId != nil {
		return dst, false
	}
	dst = append(dst, `{"Records":[`...)
	var before []byte // the record's data that is before this one's, and where its base64 begins
	var at int
	for i := range in.Records {
		r := &in.Records[i]
		if r.Data == nil || r.PartitionKey == nil {
			return dst, false
		}
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, `{"Data":"`...)
		// Predictions begin alike, and what is alike to whole groups of base64 is there already.
		groups := alike(before, r.Data) / 3
		start := len(dst)
		dst = append(dst, dst[at:at+4*groups]...)
		dst = base64.StdEncoding.AppendEncode(dst, r.Data[3*groups:])
		before, at = r.Data, start
		dst = append(dst, '"')
		if dst, ok = appendMember(dst, `,"ExplicitHashKey":"`, r.ExplicitHashKey); !ok {
			return dst, false
		}
		if dst, ok = appendMember(dst, `,"PartitionKey":"`, r.PartitionKey); !ok {
			return dst, false
		}
		dst = append(dst, '}')
	}
	dst = append(dst, ']')
	if dst, ok = appendMember(dst, `,"StreamARN":"`, in.StreamARN); !ok {
		return dst, false
	}
	if dst, ok = appendMember(dst, `,"StreamName":"`, in.StreamName); !ok {
		return dst, false
	}
	return append(dst, '}'), true
}

// appendMember appends a string's member, where there is one, unless it has to
// be escaped.
func appendMember(dst []byte, name string, value *string) (body []byte, ok bool) {
	if value == nil {
		return dst, true
	}
	dst = append(dst, name...)
	start := len(dst)
	dst = append(dst, *value...)
	text := dst[start:]
	ok = plain(text, tops) == len(text)
	if !ok { // of what is not ASCII, the SDK escapes what is not UTF-8, and JavaScript's two line ends
		ok = plain(text, 0) == len(text) && utf8.Valid(text) && !bytes.Contains(text, []byte("\u2028")) && !bytes.Contains(text, []byte("\u2029"))
	}
	return append(dst, '"'), ok && bytes.IndexByte(text, del) < 0
}

// del is a control character that JSON does not escape, and the SDK does.
const del = 0x7f

// readTaken returns the number of records of the answer to a PutRecords request
// that says of every one that it was taken. Whatever else an answer says, and
// however it says it, is the SDK's to read.
func readTaken(answer []byte) (records int, ok bool) {
	r := answerReader{text: answer}
	counts, lists := 0, 0
	r.expect('{')
	for next := true; next; next = r.take(',') {
		switch name := r.name(); string(name) {
		case "FailedRecordCount":
			r.expect('0')
			counts++
		case "Records":
			records = r.records()
			lists++
		case "EncryptionType":
			r.string()
		default:
			r.bad = true
		}
	}
	r.expect('}')
	r.space()
	return records, !r.bad && counts == 1 && lists == 1 && r.at == len(answer)
}

// An answerReader reads JSON, and notes whether that is not what it should be.
type answerReader struct {
	text []byte
	at   int
	bad  bool
}

// records reads a list of records that were taken, and counts them.
func (r *answerReader) records() (n int) {
	r.expect('[')
	for next := true; next; next = r.take(',') {
		r.expect('{')
		for next := true; next; next = r.take(',') {
			switch name := r.name(); string(name) {
			case "SequenceNumber", "ShardId", "EncryptionType": // the last of stand-ins
				r.string()
			default:
				r.bad = true
			}
		}
		r.expect('}')
		n++
	}
	r.expect(']')
	return n
}

// take reports whether the next token begins with that, and passes it.
func (r *answerReader) take(c byte) bool {
	if r.at == len(r.text) || r.text[r.at] != c {
		if r.space(); r.at == len(r.text) || r.text[r.at] != c {
			return false
		}
	}
	r.at++
	return !r.bad
}

// space passes the white space of JSON.
func (r *answerReader) space() {
	for r.at < len(r.text) && (r.text[r.at] == ' ' || r.text[r.at] == '\n' || r.text[r.at] == '\r' || r.text[r.at] == '\t') {
		r.at++
	}
}

// expect is take of what has to be there.
func (r *answerReader) expect(c byte) {
	if !r.take(c) {
		r.bad = true
	}
}

// string reads a string without escapes.
func (r *answerReader) string() []byte {
	r.expect('"')
	text := r.text[r.at:]
	text = text[:plain(text, 0)]
	r.at += len(text) + 1
	if r.at > len(r.text) || r.text[r.at-1] != '"' {
		r.bad, r.at = true, min(r.at, len(r.text))
	}
	return text
}

// name reads that of a member.
func (r *answerReader) name() []byte {
	name := r.string()
	r.expect(':')
	return name
}

// Eight bytes at once are a little-endian number: ones is 1 in each, tops the
// highest bit of each.
const (
	ones = 0x0101010101010101
	tops = 0x8080808080808080
)

// plain returns how many bytes there are before the first that a JSON string has
// to escape, which in one is its end, or that has a bit of stop.
func plain(text []byte, stop uint64) int {
	i := 0
	for ; len(text)-i >= 8; i += 8 {
		w := binary.LittleEndian.Uint64(text[i:])
		quote, backslash := w^'"'*ones, w^'\\'*ones
		// A byte below n is one that n is taken from with a borrow. The first that is found is one; those behind it need not be.
		found := ((w-' '*ones)&^w|(quote-ones)&^quote|(backslash-ones)&^backslash)&tops | w&stop
		if found != 0 {
			return i + bits.TrailingZeros64(found)/8
		}
	}
	for ; i < len(text); i++ {
		if c := text[i]; c < ' ' || c == '"' || c == '\\' || uint64(c)&stop != 0 {
			break
		}
	}
	return i
}

// alike returns how many bytes a and b begin with that are the same.
func alike(a, b []byte) int {
	n, i := min(len(a), len(b)), 0
	for ; n-i >= 8; i += 8 {
		if w := binary.LittleEndian.Uint64(a[i:]) ^ binary.LittleEndian.Uint64(b[i:]); w != 0 {
			return i + bits.TrailingZeros64(w)/8
		}
	}
	for i < n && a[i] == b[i] {
		i++
	}
	return i
}
