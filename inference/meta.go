package inference

import (
	"crypto/sha1" //nolint:gosec // RFC 9562 has it, for a name
	"encoding/hex"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/skiff-ml/skiff/inference/jsonscan"
)

// urlNames is the namespace of names that are URLs or URNs, of RFC 9562; ARNs
// are such.
const urlNames = "\x6b\xa7\xb8\x11\x9d\xad\x11\xd1\x80\xb4\x00\xc0\x4f\xd4\x30\xc8"

// addMeta adds to each prediction what it is of:
//
//	"meta": {"id": …, "event_id": …, "arrived": …, "run_id": …}
//
// The event id has the item's place in its record behind a slash; arrived is in
// UTC, to the millisecond; the id is a UUID, of version 5, of the stream's ARN
// and the event id. It is the same whenever the record comes again, under
// whatever run. What the event does not say is left out.
func (b *Batch) addMeta() {
	size := 0
	for i, m := range b.Messages {
		size += len(m.Data) + mostMeta + 2*len(b.Items[b.Sent[i]].EventID) + len(b.RunID)
	}
	b.withMeta = slices.Grow(b.withMeta[:0], size) // so that it is not copied over and over
	runID, run := b.RunID, jsonscan.Quote(b.RunID)
	b.name = append(append(append(b.name[:0], urlNames...), b.Stream...), '#')
	event := len(b.name)
	for i := range b.Messages {
		m, item := &b.Messages[i], &b.Items[b.Sent[i]]
		start := len(b.withMeta)
		data := append(b.withMeta, m.Data[:len(m.Data)-1]...)
		data = append(data, `,"meta":{`...)
		if len(item.EventID) > 0 {
			b.name = append(b.name[:event], item.EventID...)
			if item.Sub > 0 {
				b.name = append(b.name, '/')
				b.name = strconv.AppendInt(b.name, int64(item.Sub), 10)
			}
			data = append(data, `"id":"`...)
			data = appendUUID(data, b.name)
			data = append(data, `","event_id":`...)
			data = appendQuoted(data, b.name[event:])
			data = append(data, ',')
		}
		if at, ok := b.clock.append(append(data, `"arrived":"`...), item.Arrived); ok {
			data = append(at, `",`...)
		}
		if of := b.Run(b.Sent[i]); of != runID { // a canary's
			runID, run = of, jsonscan.Quote(of)
		}
		data = append(data, `"run_id":`...)
		data = append(data, run...)
		data = append(data, "}}"...)
		b.withMeta = data
		m.Data = data[start:len(data):len(data)]
	}
}

// mostMeta is about what a prediction gets, less its event id and run.
const mostMeta = 130

// appendUUID appends the UUID of version 5 of a name behind its namespace.
func appendUUID(dst, name []byte) []byte {
	u := sha1.Sum(name) //nolint:gosec // likewise
	u[6] = u[6]&0x0f | 5<<4
	u[8] = u[8]&0x3f | 2<<6
	dst = append(hex.AppendEncode(dst, u[:4]), '-')
	dst = append(hex.AppendEncode(dst, u[4:6]), '-')
	dst = append(hex.AppendEncode(dst, u[6:8]), '-')
	dst = append(hex.AppendEncode(dst, u[8:10]), '-')
	return hex.AppendEncode(dst, u[10:16])
}

// appendQuoted appends text as a JSON string.
func appendQuoted(dst, text []byte) []byte {
	for _, c := range text {
		if c < ' ' || c > '~' || c == '"' || c == '\\' {
			return append(dst, jsonscan.Quote(string(text))...)
		}
	}
	dst = append(dst, '"')
	dst = append(dst, text...)
	return append(dst, '"')
}

// A clock writes times. Those of a batch are of few seconds, whose text it keeps.
type clock struct {
	second int64  // since 1970
	text   []byte // of it, up to the point; empty: of none yet
}

// append appends seconds since 1970 as a time, to the millisecond, and reports
// whether they are one.
func (c *clock) append(dst, seconds []byte) ([]byte, bool) {
	s, err := strconv.ParseFloat(string(seconds), 64)
	if err != nil || !(s >= 0 && s < 1<<40) {
		return dst, false
	}
	at := int64(math.Round(s * 1000))
	second, ms := at/1000, at%1000
	if second != c.second || len(c.text) == 0 {
		const rfc3339 = "2006-01-02T15:04:05."
		c.second, c.text = second, time.Unix(second, 0).UTC().AppendFormat(c.text[:0], rfc3339)
	}
	dst = append(dst, c.text...)
	return append(dst, byte('0'+ms/100), byte('0'+ms/10%10), byte('0'+ms%10), 'Z'), true
}
