package ort_test

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"github.com/skiff-ml/skiff/inference/bundle"
	"github.com/skiff-ml/skiff/inference/graph"
	"github.com/skiff-ml/skiff/inference/model"
	"github.com/skiff-ml/skiff/inference/ort"
)

// boosted is a bundle with both graphs, which testdata/trees.py makes.
func boosted(t *testing.T) *bundle.Bundle {
	t.Helper()
	b, err := bundle.Open(context.Background(), bundle.Dir("testdata/77777777777777777777777777777777"), "")
	if err != nil {
		t.Fatal(err)
	}
	if b.Fast == nil {
		t.Fatal("it has no faster graph")
	}
	if err := ort.Initialize(library(t)); err != nil {
		t.Fatal(err)
	}
	return b
}

func fastest(t *testing.T, b *bundle.Bundle, operators string) (*ort.Session, error) {
	t.Helper()
	s, slower, err := ort.LoadFastest(b, operators)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s, slower
}

func TestBothGraphsPredictTheSameBits(t *testing.T) {
	b := boosted(t)
	fast, slower := fastest(t, b, ort.FindOperators("", library(t)))
	if slower != nil || fast.Graph() != bundle.FastFile {
		t.Fatalf("%s runs: %v", fast.Graph(), slower)
	}
	standard, slower := fastest(t, b, ort.NoOperators)
	if slower != nil || standard.Graph() != bundle.ModelFile {
		t.Fatalf("%s runs: %v", standard.Graph(), slower)
	}
	for _, s := range []*ort.Session{fast, standard} {
		if _, err := model.New(b, s); err != nil {
			t.Error(err)
		}
	}
	const rows = 2000
	random := rand.New(rand.NewPCG(1, 2))
	x, want := make([]float64, 3*rows), make([]float64, rows)
	for i := range x {
		if x[i] = math.Round(random.NormFloat64()*600) / 200; random.IntN(9) == 0 {
			x[i] = math.NaN()
		}
	}
	if err := standard.Score(x, want); err != nil {
		t.Fatal(err)
	}
	for _, batch := range []int{1, 8, 33, 64, 65, 1024, 1025, rows} {
		got := make([]float64, rows)
		for i := 0; i < rows; i += batch {
			end := min(i+batch, rows)
			if err := fast.Score(x[3*i:3*end], got[i:end]); err != nil {
				t.Fatal(err)
			}
		}
		for i := range got {
			if math.Float64bits(got[i]) != math.Float64bits(want[i]) {
				t.Fatalf("batches of %d: row %d, %v, is %v, and should be %v", batch, i, x[3*i:3*i+3], got[i], want[i])
			}
		}
	}
}

// Whatever keeps the faster graph from running, the other one does, and why is
// known.
func TestTheSlowerGraph(t *testing.T) {
	for name, test := range map[string]struct {
		operators string
		why       string
	}{
		"no library":        {operators: filepath.Join(t.TempDir(), "libskiff.so"), why: "No such file"},
		"no library at all": {operators: "testdata/trees.py", why: "registering skiff's operators"},
		"another library":   {operators: library(t), why: "has no skiff_register"},
	} {
		t.Run(name, func(t *testing.T) {
			b := boosted(t)
			s, slower := fastest(t, b, test.operators)
			if slower == nil || !strings.Contains(slower.Error(), test.why) || s.Graph() != bundle.ModelFile {
				t.Fatalf("%s runs: %v", s.Graph(), slower)
			}
			if _, err := model.New(b, s); err != nil {
				t.Error(err)
			}
		})
	}
}

// A graph that the converter does not write is not served, nor is the bundle
// that it is in.
func TestAFasterGraphThatIsForeign(t *testing.T) {
	operators := ort.FindOperators("", library(t))
	for name, test := range map[string]struct {
		fast []byte
		why  error
	}{
		"no graph":      {[]byte("no"), graph.ErrForeign},
		"another run's": {another(t, boosted(t)), bundle.ErrAltered},
		"altered":       {cut(t, boosted(t)), graph.ErrForeign},
	} {
		t.Run(name, func(t *testing.T) {
			b := *boosted(t)
			b.Fast = test.fast
			if _, _, err := ort.LoadFastest(&b, operators); !errors.Is(err, test.why) {
				t.Error(err)
			}
		})
	}
}

// another is the faster graph of another run.
func another(t *testing.T, b *bundle.Bundle) []byte {
	t.Helper()
	return replaced(t, b, strings.Repeat("7", 32), strings.Repeat("8", 32))
}

// cut is the faster graph without the operator's attribute nodes.
func cut(t *testing.T, b *bundle.Bundle) []byte {
	t.Helper()
	return replaced(t, b, "\x05nodes", "\x05nodez")
}

func replaced(t *testing.T, b *bundle.Bundle, old, with string) []byte {
	t.Helper()
	made := strings.ReplaceAll(string(b.Fast), old, with)
	if made == string(b.Fast) {
		t.Fatalf("the graph has no %q", old)
	}
	return []byte(made)
}

func TestABundleWithoutAFasterGraphHasNoSlower(t *testing.T) {
	b, _ := open(t, taxiRuns(t)["forest"])
	if s, slower := fastest(t, b, "nowhere"); slower != nil || s.Graph() != bundle.ModelFile {
		t.Errorf("%s runs: %v", s.Graph(), slower)
	}
}

func TestFindOperators(t *testing.T) {
	here, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ named, onnxruntime, want string }{
		{"", "/opt/lib/libonnxruntime.so", "/opt/lib/libskiff.so"},
		{"", "libonnxruntime.so", filepath.Join(here, "libskiff.so")},
		{"mine.so", "/opt/lib/libonnxruntime.so", filepath.Join(here, "mine.so")},
		{"/a/mine.so", "libonnxruntime.so", "/a/mine.so"},
		{ort.NoOperators, "libonnxruntime.so", ort.NoOperators},
	} {
		if got := ort.FindOperators(test.named, test.onnxruntime); got != test.want {
			t.Errorf("%q beside %s: %s, want %s", test.named, test.onnxruntime, got, test.want)
		}
	}
}
