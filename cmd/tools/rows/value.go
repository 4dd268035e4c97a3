package main

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
)

// An appender appends a value as JSON.
type appender func(dst []byte, v parquet.Value) ([]byte, error)

var errNoJSON = errors.New("which JSON has nothing for")

// appenderOf returns how values of a column are JSON.
func appenderOf(t parquet.Type) (appender, error) {
	kind := t.Kind()
	if l := t.LogicalType(); l != nil {
		switch l := l.Value.(type) {
		case *format.DecimalType:
			return decimal(int(l.Scale), kind)
		case *format.DateType:
			return func(dst []byte, v parquet.Value) ([]byte, error) {
				return appendTime(dst, time.Unix(int64(v.Int32())*secondsOfDay, 0), time.DateOnly), nil
			}, nil
		case *format.TimestampType:
			layout := "2006-01-02T15:04:05"
			if l.IsAdjustedToUTC {
				return instant(l.Unit, layout, "Z07:00", kind)
			}
			return instant(l.Unit, layout, "", kind)
		case *format.TimeType:
			return instant(l.Unit, time.TimeOnly, "", kind)
		case *format.IntType:
			if !l.IsSigned {
				return unsigned(kind)
			}
		case *format.UUIDType:
			return func(dst []byte, v parquet.Value) ([]byte, error) { return appendUUID(dst, v.ByteArray()), nil }, nil
		case *format.NullType:
			return func(dst []byte, _ parquet.Value) ([]byte, error) { return append(dst, "null"...), nil }, nil
		case *format.StringType, *format.EnumType, *format.JsonType:
		default:
			return nil, errNoJSON
		}
	}
	switch kind {
	case parquet.Boolean:
		return func(dst []byte, v parquet.Value) ([]byte, error) { return strconv.AppendBool(dst, v.Boolean()), nil }, nil
	case parquet.Int32:
		return func(dst []byte, v parquet.Value) ([]byte, error) {
			return strconv.AppendInt(dst, int64(v.Int32()), 10), nil
		}, nil
	case parquet.Int64:
		return func(dst []byte, v parquet.Value) ([]byte, error) { return strconv.AppendInt(dst, v.Int64(), 10), nil }, nil
	case parquet.Int96:
		return func(dst []byte, v parquet.Value) ([]byte, error) { return appendInt96(dst, v), nil }, nil
	case parquet.Float:
		return func(dst []byte, v parquet.Value) ([]byte, error) { return appendFloat(dst, float64(v.Float())), nil }, nil
	case parquet.Double:
		return func(dst []byte, v parquet.Value) ([]byte, error) { return appendFloat(dst, v.Double()), nil }, nil
	case parquet.ByteArray:
		return func(dst []byte, v parquet.Value) ([]byte, error) { return appendText(dst, v.ByteArray()) }, nil
	}
	return nil, errNoJSON
}

// appendFloat appends a number as Python writes it, so that it reads back as a
// float of the same bits. What is not a number is missing, as it is for pandas;
// and what is infinite reads back so.
func appendFloat(dst []byte, x float64) []byte {
	abs := math.Abs(x)
	switch {
	case math.IsNaN(x):
		return append(dst, "null"...)
	case math.IsInf(x, 1):
		return append(dst, "1e999"...)
	case math.IsInf(x, -1):
		return append(dst, "-1e999"...)
	case abs != 0 && (abs < 1e-4 || abs >= 1e16):
		return strconv.AppendFloat(dst, x, 'e', -1, 64)
	}
	start := len(dst)
	dst = strconv.AppendFloat(dst, x, 'f', -1, 64)
	if slices.Contains(dst[start:], '.') {
		return dst
	}
	return append(dst, ".0"...)
}

// appendText appends text, which is UTF-8.
func appendText(dst, text []byte) ([]byte, error) {
	for _, c := range text {
		if c < ' ' || c > '~' || c == '"' || c == '\\' {
			if !utf8.Valid(text) {
				return dst, errors.New("a value is not text: it is not UTF-8")
			}
			quoted, err := json.Marshal(string(text))
			return append(dst, quoted...), err
		}
	}
	return append(append(append(dst, '"'), text...), '"'), nil
}

func keyOf(name string) []byte {
	quoted, err := json.Marshal(name)
	if err != nil {
		panic(err) // no text fails
	}
	return append(quoted, ':')
}

func unsigned(kind parquet.Kind) (appender, error) {
	if kind == parquet.Int32 {
		return func(dst []byte, v parquet.Value) ([]byte, error) {
			return strconv.AppendUint(dst, uint64(v.Uint32()), 10), nil
		}, nil
	}
	return func(dst []byte, v parquet.Value) ([]byte, error) { return strconv.AppendUint(dst, v.Uint64(), 10), nil }, nil
}

// decimal returns how decimals of that many digits behind the point are written:
// all of their digits.
func decimal(scale int, kind parquet.Kind) (appender, error) {
	unscaled := func(v parquet.Value) *big.Int {
		switch kind {
		case parquet.Int32:
			return big.NewInt(int64(v.Int32()))
		case parquet.Int64:
			return big.NewInt(v.Int64())
		}
		n := new(big.Int).SetBytes(v.ByteArray()) // of two's complement
		if b := v.ByteArray(); len(b) > 0 && b[0] >= 0x80 {
			n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(len(b))*8))
		}
		return n
	}
	if scale < 0 {
		return nil, fmt.Errorf("of a scale of %d, %w", scale, errNoJSON)
	}
	return func(dst []byte, v parquet.Value) ([]byte, error) {
		n := unscaled(v)
		if n.Sign() < 0 {
			dst = append(dst, '-')
		}
		digits := n.Abs(n).String()
		for len(digits) <= scale {
			digits = "0" + digits
		}
		point := len(digits) - scale
		dst = append(dst, digits[:point]...)
		if scale > 0 {
			dst = append(append(dst, '.'), digits[point:]...)
		}
		return dst, nil
	}, nil
}

const secondsOfDay = 24 * 60 * 60

// appendTime appends a time in quotes.
func appendTime(dst []byte, t time.Time, layout string) []byte {
	return append(t.UTC().AppendFormat(append(dst, '"'), layout), '"')
}

// instant returns how times since 1970, or of a day, are written: as ISO 8601,
// with a fraction of the unit's digits where there is one.
func instant(unit format.TimeUnit, layout, zone string, kind parquet.Kind) (appender, error) {
	digits, of := ".000", time.UnixMilli
	switch unit.Value.(type) {
	case *format.MicroSeconds:
		digits, of = ".000000", time.UnixMicro
	case *format.NanoSeconds:
		digits, of = ".000000000", func(ns int64) time.Time { return time.Unix(0, ns) }
	}
	return func(dst []byte, v parquet.Value) ([]byte, error) {
		n := v.Int64()
		if kind == parquet.Int32 {
			n = int64(v.Int32())
		}
		t := of(n)
		if t.Nanosecond() != 0 {
			return appendTime(dst, t, layout+digits+zone), nil
		}
		return appendTime(dst, t, layout+zone), nil
	}, nil
}

// appendInt96 appends a time as Impala and the first Sparks wrote it: nanoseconds
// of a day, and the day's Julian number.
func appendInt96(dst []byte, v parquet.Value) []byte {
	const epoch = 2_440_588 // 1970-01-01
	n := v.Int96()
	t := time.Unix((int64(n[2])-epoch)*secondsOfDay, int64(uint64(n[1])<<32|uint64(n[0]))) //nolint:gosec // of a day
	if t.Nanosecond() != 0 {
		return appendTime(dst, t, "2006-01-02T15:04:05.000000000")
	}
	return appendTime(dst, t, "2006-01-02T15:04:05")
}

func appendUUID(dst, b []byte) []byte {
	dst = append(dst, '"')
	for i, end := range []int{4, 6, 8, 10, 16} {
		start := []int{0, 4, 6, 8, 10}[i]
		if i > 0 {
			dst = append(dst, '-')
		}
		dst = hex.AppendEncode(dst, b[start:end])
	}
	return append(dst, '"')
}
