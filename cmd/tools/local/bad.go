package main

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"strings"
	"unicode/utf16"

	"github.com/skiff-ml/skiff/inference"
	"github.com/skiff-ml/skiff/inference/kpl"
	"github.com/skiff-ml/skiff/inference/limits"
	"github.com/skiff-ml/skiff/inference/unpack"
)

// A way is one of making a ride's record bad. All come from producers that were seen, or from a reason that the worker knows.
type way struct {
	name   string
	reason inference.Reason // for which the worker has to reject it
	large  bool             // about a megabyte
	spoil  func(record string) []byte
}

// maxLarge is how many large records a run has at most.
const maxLarge = 16

// ways are all there are. There is none for not_base64: it is Kinesis that encodes a stream's records for their event, and it does that well.
// limit is the magnitude from which a number is none to the model; 0 where there is no other than float64's.
func ways(limit float64) []way {
	text := func(name string, reason inference.Reason, spoil func(record string) string) way {
		return way{name: name, reason: reason, spoil: func(record string) []byte { return []byte(spoil(record)) }}
	}
	replace := func(name string, reason inference.Reason, old, with string) way {
		return text(name, reason, func(record string) string { return member(record, old, with) })
	}
	all := []way{
		{name: "gzip that is cut off", reason: inference.NotJSON, spoil: func(r string) []byte { return gzipped(r)[:40] }},
		{name: "zlib that is cut off", reason: inference.NotJSON, spoil: func(r string) []byte { return zlibbed(r)[:40] }},
		{name: "compressed with zstd", reason: inference.NotJSON, spoil: zstded},
		{name: "a KPL aggregate that is cut off", reason: inference.NotJSON, spoil: func(r string) []byte { return aggregated(r)[:40] }},
		{name: "UTF-16", reason: inference.NotJSON, spoil: utf16ed},
		text("behind a byte order mark", inference.NotJSON, func(r string) string { return "\ufeff" + r }),
		text("base64 twice", inference.NotJSON, func(r string) string { return base64.StdEncoding.EncodeToString([]byte(r)) }),
		text("several numbers", inference.NotJSON, func(string) string { return "1\n2\n" }),
		text("empty", inference.NotJSON, func(string) string { return "" }),
		text("cut off", inference.NotJSON, func(r string) string { return r[:len(r)*2/3] }),
		text("Python's repr", inference.NotJSON, func(r string) string { return strings.ReplaceAll(r, `"`, `'`) }),
		text("zero bytes behind", inference.NotJSON, func(r string) string { return r + "\x00\x00" }),
		text("Latin-1", inference.NotJSON, func(r string) string { return strings.Replace(r, `{`, "{\"zone\":\"Caf\xe9\",", 1) }),
		text("over 1,000 deep", inference.NotJSON, func(r string) string {
			return strings.Replace(r, `{`, `{"deep":`+strings.Repeat("[", 1001)+strings.Repeat("]", 1001)+`,`, 1)
		}),
		replace("NaN", inference.NotJSON, "trip_distance", "NaN"),
		replace("-Infinity", inference.NotJSON, "trip_distance", "-Infinity"),

		replace("without a feature", inference.MissingField, "DOLocationID", ""),
		replace("without a number", inference.MissingField, "trip_distance", ""),
		replace("without its id", inference.MissingField, "ride_id", ""),
		replace("without the parent", inference.MissingField, "ride", ""),
		text("keys in another case", inference.MissingField, strings.ToLower),

		text("JSON in a string", inference.WrongType, func(r string) string { return `"` + strings.ReplaceAll(r, `"`, `\"`) + `"` }),
		text("a list of a number", inference.WrongType, func(string) string { return `[3.66]` }),
		text("null", inference.WrongType, func(string) string { return `null` }),
		replace("text for a number", inference.WrongType, "trip_distance", `"3.66"`),
		replace("null for a number", inference.WrongType, "trip_distance", `null`),
		replace("an object for a number", inference.WrongType, "trip_distance", `{"miles":3.66}`),
		replace("a list for a feature", inference.WrongType, "PULocationID", `[130]`),

		replace("over float64", inference.NotFinite, "trip_distance", `1e400`),

		{name: "a gzip bomb", reason: inference.TooLarge, spoil: func(r string) []byte { return gzipped(r + strings.Repeat(" ", unpack.MaxBytes)) }},
		{name: "an id too large to publish", reason: inference.TooLarge, large: true, spoil: tooLarge},
	}
	if limit > 0 {
		all = append(all, replace("over the model's limit", inference.NotFinite, "trip_distance", fmt.Sprint(limit)))
	}
	return all
}

// A badRide is a ride whose record was made bad.
type badRide struct {
	way    way
	record []byte
}

// makeBad makes this share of the records bad: evenly spread, and every way in turn, so that there is one of each where there are as many.
// It returns the bad ones by their place.
func makeBad(records [][]byte, share float64, ways []way) map[int]badRide {
	n := len(records)
	count := min(max(int(share*float64(n)+0.5), 1), n)
	bad := make(map[int]badRide, count)
	large := 0
	for turn, k := 0, 0; k < count; turn++ {
		w := ways[turn%len(ways)]
		if w.large {
			if large == maxLarge {
				continue
			}
			large++
		}
		at := (2*k + 1) * n / (2 * count)
		records[at] = w.spoil(string(records[at]))
		bad[at] = badRide{w, records[at]}
		k++
	}
	return bad
}

// member returns a ride's record with another value under a key, or without the key.
func member(record, key, value string) string {
	start := strings.Index(record, `"`+key+`":`)
	end := start + len(key) + len(`"":`)
	for depth := 0; depth > 0 || record[end] != ',' && record[end] != '}'; end++ {
		switch record[end] {
		case '{':
			depth++
		case '}':
			depth--
		}
	}
	if value != "" {
		return record[:start] + `"` + key + `":` + value + record[end:]
	}
	head, tail := record[:start], record[end:]
	if strings.HasPrefix(tail, ",") {
		return head + tail[1:]
	}
	return strings.TrimSuffix(head, ",") + tail
}

func gzipped(record string) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = io.WriteString(w, record) // a buffer takes everything
	_ = w.Close()
	return b.Bytes()
}

func zlibbed(record string) []byte {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	_, _ = io.WriteString(w, record)
	_ = w.Close()
	return b.Bytes()
}

// zstded is one frame of one raw block: RFC 8878, 3.1.1.
func zstded(record string) []byte {
	const (
		singleSegment = 1<<5 | 1<<6 // with the content's size in two bytes, less 256
		lastRaw       = 1
	)
	record += strings.Repeat(" ", max(256-len(record), 0))
	b := binary.LittleEndian.AppendUint32(nil, 0xfd2fb528)
	b = append(b, singleSegment)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(record)-256)) //nolint:gosec // a record of a ride is small
	header := len(record)<<3 | lastRaw
	b = append(b, byte(header), byte(header>>8), byte(header>>16)) //nolint:gosec // three bytes of it
	return append(b, record...)
}

// aggregated is the KPL's format with two user records in it.
func aggregated(record string) []byte {
	var w kpl.Writer
	w.Reset("0")
	for range 2 {
		w.Add("key", []byte(record))
	}
	return w.Append(nil)
}

// utf16ed is little-endian, behind its mark.
func utf16ed(record string) []byte {
	b := []byte{0xff, 0xfe}
	for _, unit := range utf16.Encode([]rune(record)) {
		b = binary.LittleEndian.AppendUint16(b, unit)
	}
	return b
}

// tooLarge gives a record an id that the rides stream takes, with its partition key, and the predictions stream does not, behind the model's
// name and version.
func tooLarge(record string) []byte {
	const key = 16 // bytes; more than a ride's number has
	empty := member(record, "ride_id", `""`)
	return []byte(member(record, "ride_id", `"`+strings.Repeat("7", limits.RecordBytes-key-len(empty))+`"`))
}
