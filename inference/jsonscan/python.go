package jsonscan

import (
	"bytes"
	"math"
	"strconv"
)

// AppendStr appends what Python's str() makes of the JSON value v: the text
// that a template such as f"{PULocationID}_{DOLocationID}" had in training. It
// reports false for a list and an object.
func AppendStr(dst, doc []byte, v Value) ([]byte, bool) {
	raw := doc[v.Start:v.End]
	switch v.Kind {
	case Text:
		return AppendText(dst, doc, v), true
	case Integer:
		if bytes.Equal(raw, []byte("-0")) {
			return append(dst, '0'), true
		}
		return append(dst, raw...), true
	case Float:
		f, _ := strconv.ParseFloat(string(raw), 64) // beyond float64 it is an infinity, there as here
		return AppendFloat(dst, f), true
	case Null:
		return append(dst, "None"...), true
	case Boolean:
		if raw[0] == 't' {
			return append(dst, "True"...), true
		}
		return append(dst, "False"...), true
	}
	return dst, false
}

// AppendText appends the text of v, whose kind is text, without its escapes.
func AppendText(dst, doc []byte, v Value) []byte {
	inside := doc[v.Start+1 : v.End-1]
	if v.Escaped {
		return unescape(dst, inside)
	}
	return append(dst, inside...)
}

// AppendFloat appends f as Python's repr() has it: the shortest digits that
// give f back, always with a point or an exponent. For a finite f that is a
// JSON number, and one that readers take for a float: 21.0, never 21.
func AppendFloat(dst []byte, f float64) []byte {
	switch {
	case math.IsInf(f, 1):
		return append(dst, "inf"...)
	case math.IsInf(f, -1):
		return append(dst, "-inf"...)
	}
	// float_repr_style "short": an exponent below 1e-4 and from 1e16 on
	if a := math.Abs(f); f != 0 && (a < 1e-4 || a >= 1e16) {
		return strconv.AppendFloat(dst, f, 'e', -1, 64)
	}
	start := len(dst)
	dst = strconv.AppendFloat(dst, f, 'f', -1, 64)
	if bytes.IndexByte(dst[start:], '.') < 0 {
		dst = append(dst, '.', '0')
	}
	return dst
}

// Nearest returns the float64 that is nearest to the number or boolean v, true
// being 1. What is beyond float64 is infinite; Python's int has no -0.
func Nearest(doc []byte, v Value) float64 {
	raw := v.Raw(doc)
	if v.Kind == Boolean {
		if raw[0] == 't' {
			return 1
		}
		return 0
	}
	f, _ := strconv.ParseFloat(string(raw), 64)
	if f == 0 && v.Kind == Integer {
		return 0
	}
	return f
}

// Number is Nearest, and whether that is equal to v: an integer may be between
// two, or beyond them all.
func Number(doc []byte, v Value) (f float64, exact bool) {
	f = Nearest(doc, v)
	raw := v.Raw(doc)
	const always = 15 // digits that float64 has for any integer
	if v.Kind != Integer || f == 0 || len(raw) <= always {
		return f, true
	}
	if math.IsInf(f, 0) {
		return f, false
	}
	var room [320]byte // more than the longest float64
	return f, bytes.Equal(strconv.AppendFloat(room[:0], f, 'f', 0, 64), raw)
}
