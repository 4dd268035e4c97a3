package jsonscan

import (
	"math"
	"slices"
	"strconv"
	"strings"
)

// ParseFloat returns what Python's float() reads in text: spaces around it, a
// sign, decimal digits with single underscores between them, a point, an
// exponent; or inf, infinity, nan, in any case. It is an infinity for what is
// beyond float64. Of spaces and digits it knows those of ASCII only: it reports
// false for others, which float() takes, and for all that float() refuses. The
// text is its to write over.
func ParseFloat(text []byte) (float64, bool) {
	for len(text) > 0 && isSpace(text[0]) {
		text = text[1:]
	}
	for len(text) > 0 && isSpace(text[len(text)-1]) {
		text = text[:len(text)-1]
	}
	unsigned := text
	if len(text) > 0 && (text[0] == '-' || text[0] == '+') {
		unsigned = text[1:]
	}
	if x, ok := named(string(unsigned)); ok {
		if text[0] == '-' {
			x = -x
		}
		return x, true
	}
	underscores, ok := isDecimal(unsigned)
	if !ok {
		return 0, false
	}
	if underscores {
		text = slices.DeleteFunc(text, func(c byte) bool { return c == '_' })
	}
	x, _ := strconv.ParseFloat(string(text), 64)
	return x, true
}

// isSpace reports whether c is white space to C.
func isSpace(c byte) bool { return c == ' ' || '\t' <= c && c <= '\r' }

func named(text string) (float64, bool) {
	switch {
	case strings.EqualFold(text, "inf"), strings.EqualFold(text, "infinity"):
		return math.Inf(1), true
	case strings.EqualFold(text, "nan"):
		return math.NaN(), true
	}
	return 0, false
}

// isDecimal reports whether text is a number without a sign, and whether it has
// underscores, each between two digits.
func isDecimal(text []byte) (underscores, ok bool) {
	digits := func() (any bool) {
		for i, c := range text {
			switch {
			case '0' <= c && c <= '9':
				any = true
			case c == '_' && any && i+1 < len(text) && '0' <= text[i+1] && text[i+1] <= '9' && text[i-1] != '_':
				underscores = true
			default:
				text = text[i:]
				return any
			}
		}
		text = nil
		return any
	}
	whole, fraction := digits(), false
	if len(text) > 0 && text[0] == '.' {
		text = text[1:]
		fraction = digits()
	}
	if !whole && !fraction {
		return false, false
	}
	if len(text) > 0 && (text[0] == 'e' || text[0] == 'E') {
		if text = text[1:]; len(text) > 0 && (text[0] == '-' || text[0] == '+') {
			text = text[1:]
		}
		if !digits() {
			return false, false
		}
	}
	return underscores, len(text) == 0
}
