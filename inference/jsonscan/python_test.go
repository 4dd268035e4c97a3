package jsonscan

import (
	"math"
	"testing"
)

// The wanted texts are what CPython 3.11 prints for repr(x).
func TestAppendFloatIsPythonsRepr(t *testing.T) {
	for want, f := range map[string]float64{
		"0.0": 0, "-0.0": math.Copysign(0, -1), "21.0": 21, "21.3": 21.3, "0.1": 0.1, "-1.5": -1.5,
		"0.0001": 0.0001, "9.999e-05": 0.00009999, "1e-05": 1e-5, "1.2345e-07": 1.2345e-7,
		"1000000000000000.0": 1e15, "9999999999999998.0": 9999999999999998, "1e+16": 1e16, "1.2345678901234568e+17": 123456789012345680,
		"1e+22": 1e22, "1.7976931348623157e+308": math.MaxFloat64, "5e-324": math.SmallestNonzeroFloat64,
		"inf": math.Inf(1), "-inf": math.Inf(-1),
	} {
		if got := string(AppendFloat(nil, f)); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// The wanted texts are what CPython 3.11 prints for str(json.loads(doc)).
func TestAppendStrIsPythonsStr(t *testing.T) {
	for _, test := range []struct{ doc, want string }{
		{`130`, "130"},
		{`-0`, "0"},
		{`-7`, "-7"},
		{`123456789012345678901234567890`, "123456789012345678901234567890"},
		{`130.0`, "130.0"},
		{`1e2`, "100.0"},
		{`-0.0`, "-0.0"},
		{`1E400`, "inf"},
		{`-1e400`, "-inf"},
		{`1e-400`, "0.0"},
		{`"130"`, "130"},
		{`"\u0031\n"`, "1\n"},
		{`null`, "None"},
		{`true`, "True"},
		{`false`, "False"},
	} {
		b := NewBuilder()
		found := make([]Value, 1)
		if !Find([]byte(test.doc), b.Tree(), found) {
			t.Fatalf("%s is not JSON", test.doc)
		}
		if got, ok := AppendStr(nil, []byte(test.doc), found[0]); !ok || string(got) != test.want {
			t.Errorf("%s: got %q, %t; want %q", test.doc, got, ok, test.want)
		}
	}
	for _, doc := range []string{`[1]`, `{}`} {
		b := NewBuilder()
		found := make([]Value, 1)
		Find([]byte(doc), b.Tree(), found)
		if got, ok := AppendStr(nil, []byte(doc), found[0]); ok {
			t.Errorf("%s: got %q, want none", doc, got)
		}
	}
}
