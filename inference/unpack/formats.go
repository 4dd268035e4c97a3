package unpack

import (
	"fmt"
	"strings"

	"github.com/skiff-ml/skiff/inference/hint"
)

// Formats is a set of what is recognised in a record.
type Formats uint8

// The formats.
const (
	KPL  Formats = 1 << iota // aggregates of the Kinesis Producer Library
	Gzip                     // RFC 1952
	Zlib                     // RFC 1950
	Logs                     // the envelope of CloudWatch Logs, which is always compressed
	JSON                     // lists of documents, and several one behind the other

	All = KPL | Gzip | Zlib | Logs | JSON
)

// names has each format's, in their order.
var names = [...]string{"kpl", "gzip", "zlib", "logs", "json"} //nolint:gochecknoglobals // a constant table

// Parse reads a set: "off", "all", or names of formats between commas.
func Parse(s string) (Formats, error) {
	switch s {
	case "off":
		return 0, nil
	case "all":
		return All, nil
	}
	var set Formats
names:
	for name := range strings.SplitSeq(s, ",") {
		for i, known := range names {
			if strings.TrimSpace(name) == known {
				set |= 1 << i
				continue names
			}
		}
		return 0, hint.With(fmt.Errorf("%q is nothing that a record is unpacked from", name),
			"it is all, off, or some of "+strings.Join(names[:], ","))
	}
	return set, nil
}
