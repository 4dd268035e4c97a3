package link

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// swept is how many values a sweep of the vectors has.
const swept = 1 << 14

// The vectors are glibc's answers; testdata/vectors.py makes them, and has the
// same sweep.
func TestVectors(t *testing.T) {
	double := func(f func(float64) float64) func(x uint64) uint64 {
		return func(x uint64) uint64 { return math.Float64bits(f(math.Float64frombits(x))) }
	}
	t.Run("exp", func(t *testing.T) { vectors(t, "exp", 8, double(Exp), math.Float64bits) })
	t.Run("expm1", func(t *testing.T) { vectors(t, "expm1", 8, double(Expm1), math.Float64bits) })
	t.Run("exp32", func(t *testing.T) {
		vectors(t, "exp32", 4, func(x uint64) uint64 {
			return uint64(math.Float32bits(Exp32(math.Float32frombits(uint32(x)))))
		}, func(x float64) uint64 { return uint64(math.Float32bits(float32(x))) })
	})
}

// vectors runs a file: f from bits to bits, of numbers of size bytes, which
// bits makes of a float64.
func vectors(t *testing.T, name string, size int, f func(uint64) uint64, bits func(float64) uint64) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", name+".txt"))
	if err != nil {
		t.Fatal(err)
	}
	values, sweeps := 0, 0
	for line := range strings.Lines(string(raw)) {
		switch words := strings.Fields(line); len(words) {
		case 2:
			values++
			x, y := parse(t, words[0], 16, 8*size), parse(t, words[1], 16, 8*size)
			if got := f(x); got != y {
				t.Errorf("%s of %x is %x, want %x", name, x, got, y)
			}
		case 3:
			sweeps++
			results := make([]byte, 0, size*swept)
			for x := range sweep(parse(t, words[1], 10, 64)) {
				results = binary.LittleEndian.AppendUint64(results, f(bits(x)))[:len(results)+size]
			}
			if sum := sha256.Sum256(results); hex.EncodeToString(sum[:]) != words[2] {
				t.Errorf("%s differs in sweep %s", name, words[1])
			}
		}
	}
	if values < 500 || sweeps < 8 {
		t.Errorf("%d values, %d sweeps", values, sweeps)
	}
}

func parse(t *testing.T, s string, base, size int) uint64 {
	t.Helper()
	n, err := strconv.ParseUint(s, base, size)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// sweep yields numbers of every kind, but NaN.
func sweep(seed uint64) func(func(float64) bool) {
	next := func() uint64 { // splitmix64
		seed += 0x9e3779b97f4a7c15
		z := (seed ^ seed>>30) * 0xbf58476d1ce4e5b9
		z = (z ^ z>>27) * 0x94d049bb133111eb
		return z ^ z>>31
	}
	return func(yield func(float64) bool) {
		for i := range swept {
			u := float64(next()>>11) * 0x1p-53
			x := [...]float64{
				float64((u - 0.5) * 20), float64((u - 0.5) * 1500), -708 - float64(u*38), 700 + float64(u*12), (u - 0.5) * 0x1p-20,
			}[i%5]
			if i%16 == 15 {
				x = math.Float64frombits(next())
			}
			if math.IsNaN(x) {
				x = 0
			}
			if !yield(x) {
				return
			}
		}
	}
}

func TestNaN(t *testing.T) {
	nan := math.NaN()
	for name, y := range map[string]float64{"exp": Exp(nan), "expm1": Expm1(nan), "exp32": float64(Exp32(float32(nan)))} {
		if !math.IsNaN(y) {
			t.Errorf("%s of NaN is %v", name, y)
		}
	}
}

func TestProbabilities(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	for _, test := range []struct {
		name    string
		f       func(p, s []float64)
		s, want []float64
	}{
		{"expit", Expit, []float64{0}, []float64{0.5, 0.5}},
		{"expit, far off", Expit, []float64{-1000}, []float64{1, 0}},
		{"expit of infinity", Expit, []float64{inf}, []float64{0, 1}},
		{"expit of NaN", Expit, []float64{nan}, []float64{nan, nan}},
		{"expit32", Expit32, []float64{0}, []float64{0.5, 0.5}},
		{"expit32, where exp is kept finite", Expit32, []float64{-1000}, []float64{1, float64(1 / (Exp32(88.7) + 1))}},
		{"expit32 of NaN", Expit32, []float64{nan}, []float64{nan, nan}},
		{"softmax", Softmax, []float64{7, 7, 7, 7}, []float64{0.25, 0.25, 0.25, 0.25}},
		{"softmax, far off", Softmax, []float64{0, 1e300, -1e300}, []float64{0, 1, 0}},
		{"softmax of infinity", Softmax, []float64{0, inf}, []float64{nan, nan}},
		{"softmax of NaN", Softmax, []float64{0, nan}, []float64{nan, nan}},
		{"softmax_fast", NewFast().Softmax, []float64{7, 7, 7, 7}, []float64{0.25, 0.25, 0.25, 0.25}},
		{"softmax_fast, far off", NewFast().Softmax, []float64{0, 1e300, -1e300}, []float64{0, 1, 0}},
		{"softmax_fast, far off by four", NewFast().Softmax, []float64{0, 1e300, 0, 0}, []float64{0x1p-1022, 1, 0x1p-1022, 0x1p-1022}},
		{"softmax_fast of NaN", NewFast().Softmax, []float64{0, nan}, []float64{nan, nan}},
		{"softmax32", Softmax32, []float64{-3, -3}, []float64{0.5, 0.5}},
		{"softmax32 of NaN", Softmax32, []float64{nan, 0}, []float64{nan, nan}},
		{"ovr", OVR, []float64{0, 0}, []float64{0.5, 0.5}},
		{"ovr of nothing", OVR, []float64{-1000, -1000}, []float64{nan, nan}},
		{"normalize", Normalize, []float64{1, 3}, []float64{0.25, 0.75}},
		{"normalize nothing", Normalize, []float64{0, 0}, []float64{nan, nan}},
	} {
		p := make([]float64, len(test.want))
		test.f(p, test.s)
		for i, want := range test.want {
			if p[i] != want && !(math.IsNaN(p[i]) && math.IsNaN(want)) {
				t.Errorf("%s: got %v, want %v", test.name, p, test.want)
				break
			}
		}
	}
}

// CatBoost's exp is off by some last bits, more of them far from 0, and by no
// more.
func TestFastIsNear(t *testing.T) {
	f := NewFast()
	for x := range sweep(1) {
		got, want := f.Exp(x), Exp(x)
		switch {
		case x <= fastLeast && got == 0, got == want:
		case !(math.Abs(got-want) <= 0x1p-42*want):
			t.Fatalf("exp of %v is %v, want %v", x, got, want)
		}
	}
	if !math.IsNaN(f.Exp(math.NaN())) {
		t.Error("exp of NaN is a number")
	}
}

func BenchmarkExp(b *testing.B) {
	x := -1.5
	for b.Loop() {
		x = Exp(x) - 1.25
	}
	if math.IsNaN(x) {
		b.Error(x)
	}
}
