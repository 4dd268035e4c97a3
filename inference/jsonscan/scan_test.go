package jsonscan

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

// lookup finds one path in doc.
func lookup(doc string, path ...string) (got string, ok bool) {
	b := NewBuilder()
	slots := b.Add(path...)
	found := make([]Value, b.Slots())
	ok = Find([]byte(doc), b.Tree(), found)
	v := found[slots[len(slots)-1]]
	return doc[v.Start:v.End], ok
}

func TestFindReadsAsPythonDoes(t *testing.T) {
	for _, test := range []struct{ name, doc, want string }{
		{"value", `{"a": {"b": 1}}`, `1`},
		{"space", " {\t\"a\"\r\n: { \"b\" :\n1 } } ", `1`},
		{"exact keys", `{"A": {"b": 1}, "a": {"B": 2}}`, ``},
		{"the last key wins", `{"a": {"b": 1}, "a": {"b": 2}}`, `2`},
		{"the last key wins wholly", `{"a": {"b": 1}, "a": {"c": 2}}`, ``},
		{"the last key wins over an object", `{"a": {"b": 1}, "a": 5}`, ``},
		{"escaped key", `{"\u0061": {"\u0062": 1}}`, `1`},
		{"key in a list", `{"a": [{"b": 1}]}`, ``},
		{"any value", `{"a": {"b": [{"b": "]}"}, 1e5, -0.0, null]}}`, `[{"b": "]}"}, 1e5, -0.0, null]`},
		{"escapes stay", `{"a": {"b": "\"\\\/\b\f\n\r\t\ud83d\ude00\ud800"}}`, `"\"\\\/\b\f\n\r\t\ud83d\ude00\ud800"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got, ok := lookup(test.doc, "a", "b"); !ok || got != test.want {
				t.Errorf("got %q, %t; want %q", got, ok, test.want)
			}
		})
	}
}

func TestFindRefuses(t *testing.T) {
	nested := func(depth int) string {
		return strings.Repeat("[", depth) + strings.Repeat("]", depth)
	}
	if _, ok := lookup(nested(maxDepth)); !ok {
		t.Error("the deepest nesting is refused")
	}
	for n := range 40 { // wherever it is among eight bytes
		long := strings.Repeat("é", n/2) + strings.Repeat("a", n)
		for _, doc := range []string{`"` + long + "\x1f" + long + `"`, `"` + long, `"` + long + `\` + `"`, `"` + long + `"` + long + `"`} {
			if _, ok := lookup(doc); ok {
				t.Errorf("%q is taken for JSON", doc)
			}
		}
		for _, doc := range []string{`"` + long + `"`, `"` + long + `\"` + long + `\\"`, `"` + long + "\x7f\u0080 " + long + `"`} {
			if got, ok := lookup(doc); !ok || got != doc {
				t.Errorf("%q is refused", doc)
			}
		}
	}
	digits := strings.Repeat("1", maxIntDigits)
	for _, doc := range []string{digits, digits + "1.0", digits + "1e0"} {
		if _, ok := lookup(doc); !ok {
			t.Error("the longest number is refused")
		}
	}
	for _, doc := range []string{
		``, ` `, `{`, `}`, `{"a"}`, `{"a":}`, `{"a":1,}`, `{,}`, `{a:1}`, `{'a':1}`, `[1,]`, `[,]`, `[1 2]`, `[1`,
		`01`, `-`, `+1`, `1.`, `.1`, `1e`, `1e+`, `0x1`, `1_000`, `NaN`, `Infinity`, `-Infinity`, `nul`, `True`, `truex`,
		`"`, `"\"`, `"\x"`, `"\u12"`, `"\u12g4"`, "\"\n\"", "\"\x00\"", `1 2`, `{} {}`, "\ufeff1",
		"\"\xff\"", "\"\xc0\x80\"", "\"\xed\xa0\x80\"", "{\"a\": 1, \"\xff\": 2}",
		nested(maxDepth + 1), digits + "1",
	} {
		if _, ok := lookup(doc); ok {
			t.Errorf("%.40q is taken for JSON", doc)
		}
	}
}

func TestUnescape(t *testing.T) {
	for escaped, want := range map[string]string{
		``:                       "",
		`plain ü`:                "plain ü",
		`\"\\\/\b\f\n\r\t`:       "\"\\/\b\f\n\r\t",
		`\u00fc\u20ac`:           "ü€",
		`\ud83d\ude00!`:          "😀!",
		`\uD83D\uDE00`:           "😀",
		`\ud83d`:                 "\xed\xa0\xbd",
		`\ud83d\u0041`:           "\xed\xa0\xbdA",
		`\ude00\ud83d`:           "\xed\xb8\x80\xed\xa0\xbd",
		`\ud83d\ud83d\ude00 end`: "\xed\xa0\xbd😀 end",
	} {
		if got := string(unescape(nil, []byte(escaped))); got != want {
			t.Errorf("%s: got %q, want %q", escaped, got, want)
		}
	}
}

// FuzzFind holds the parser against encoding/json, where the two should agree.
func FuzzFind(f *testing.F) {
	for _, doc := range []string{
		`{"a": {"b": 1}}`, `{"a":{"b":"\u0062\ud83d\ude00"},"a":{"b":[true,null,-1.5e3]}}`, `[{"a":1}]`, ` 1 `, `"a"`,
		`{"a":{"b":1,"b":{}}}`, `{"\u0061":{"b":2}}`, "{\"a\":\"\xff\"}", `NaN`, `{"a":{"b":00}}`,
	} {
		f.Add([]byte(doc))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		got, ok := lookup(string(doc), "a", "b")
		if want := json.Valid(doc) && utf8.Valid(doc); ok != want {
			if len(doc) > maxDepth {
				return // the depth and the digits that Python takes
			}
			t.Fatalf("%q: it is JSON: got %t, want %t", doc, ok, want)
		}
		if !ok || bytes.ContainsRune(doc, '\\') && bytes.ContainsAny(doc, "dD") {
			return // encoding/json mends half surrogates, in keys as well
		}
		var a struct{ a, b json.RawMessage }
		a.a = exactly(doc, "a")
		a.b = exactly(a.a, "b")
		if string(a.b) != got {
			t.Fatalf("%q: got %q, want %q", doc, got, a.b)
		}
	})
}

// exactly returns the value of doc's last key of that name, by encoding/json.
func exactly(doc []byte, key string) json.RawMessage {
	var m map[string]json.RawMessage
	if json.Unmarshal(doc, &m) != nil {
		return nil
	}
	return m[key]
}
