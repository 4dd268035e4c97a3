package jsonscan

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/base64"
	"io"
	"strings"
	"testing"
	"unicode/utf16"
)

// packed returns doc through a compressor.
func packed(t *testing.T, doc string, w func(io.Writer) io.WriteCloser) string {
	t.Helper()
	var b bytes.Buffer
	c := w(&b)
	if _, err := io.WriteString(c, doc); err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestExplain(t *testing.T) {
	const doc = `{"a": [1, "b"]}`
	var little, big strings.Builder
	for _, u := range utf16.Encode([]rune(doc)) {
		little.Write([]byte{byte(u), byte(u >> 8)})
		big.Write([]byte{byte(u >> 8), byte(u)})
	}
	for in, want := range map[string]string{
		"": "it is empty",
		packed(t, doc, func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) }): "it is compressed with gzip",
		packed(t, doc, func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) }): "it is compressed with zlib",
		"\x28\xb5\x2f\xfd":                             "it is compressed with zstd",
		"\xf3\x89\x9a\xc2\x0a\x01a":                    "it is a KPL aggregate of several records",
		"\xef\xbb\xbf" + doc:                           "it is JSON behind a UTF-8 byte order mark",
		"\xff\xfe" + little.String():                   "it is UTF-16, and JSON is UTF-8",
		"\xfe\xff" + big.String():                      "it is UTF-16, and JSON is UTF-8",
		little.String():                                "it is UTF-16, and JSON is UTF-8",
		big.String():                                   "it is UTF-16, and JSON is UTF-8",
		doc + "\n" + doc + doc:                         "it holds 3 JSON documents, not one",
		base64.StdEncoding.EncodeToString([]byte(doc)): "it is JSON in base64: the producer encodes it, and so does Kinesis",
		doc[:9]:                   "it ends after 9 bytes, in the middle",
		`{"a": 1,}`:               "byte 8, 0x7d, does not belong there",
		`{"a": NaN}`:              "byte 6, 0x4e, does not belong there",
		doc + `x`:                 "byte 15, 0x78, does not belong there",
		"{\"a\": \"\xe9\"}":       "byte 7, 0xe9, is not UTF-8",
		"words":                   "byte 0, 0x77, does not belong there",
		strings.Repeat("[", 1001): "byte 1000, 0x5b, does not belong there",
	} {
		if got := Explain([]byte(in)); got != want {
			t.Errorf("%.40q: got %s, want %s", in, got, want)
		}
	}
}

func TestLengthAndValid(t *testing.T) {
	for list, want := range map[string]int{`[]`: 0, `[1]`: 1, ` [1, [2, 3], {"a": [4]}] `: 3} {
		if got := Length([]byte(list)); got != want {
			t.Errorf("%s: %d elements, want %d", list, got, want)
		}
	}
	for doc, want := range map[string]bool{`{}`: true, `[1]`: true, `1`: false, `"a"`: false, `{`: false, ``: false} {
		if got := Valid([]byte(doc)); got != want {
			t.Errorf("%s: %t", doc, got)
		}
	}
}

// FuzzExplain says something of any bytes, and never holds them against JSON.
func FuzzExplain(f *testing.F) {
	f.Add([]byte(`{"a": 1} x`))
	f.Add([]byte("\x1f\x8b"))
	f.Fuzz(func(t *testing.T, doc []byte) {
		if text := Explain(doc); text == "" || strings.ContainsAny(text, "\n\r") {
			t.Errorf("%q: %q", doc, text)
		}
	})
}
