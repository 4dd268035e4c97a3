package ort_test

import (
	"context"
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/skiff-ml/skiff/inference/bundle"
	"github.com/skiff-ml/skiff/inference/model"
	"github.com/skiff-ml/skiff/inference/ort"
)

const models = "../../models"

// library is onnxruntime's, as make installs it.
func library(t *testing.T) string {
	t.Helper()
	if l := os.Getenv("ONNXRUNTIME_LIB"); l != "" {
		return l
	}
	path, err := filepath.Abs("../../.build/lib/libonnxruntime.so")
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// taxiRuns returns the shipped runs by their kind.
func taxiRuns(t *testing.T) map[string]string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(models, "taxi", "runs.json"))
	if err != nil {
		t.Fatal(err)
	}
	var runs map[string]string
	if err := json.Unmarshal(data, &runs); err != nil {
		t.Fatal(err)
	}
	return runs
}

func open(t *testing.T, runID string) (*bundle.Bundle, *ort.Session) {
	t.Helper()
	b, err := bundle.Open(context.Background(), bundle.Dir(filepath.Join(models, runID)), runID)
	if err != nil {
		t.Fatal(err)
	}
	if err := ort.Initialize(library(t)); err != nil {
		t.Fatal(err)
	}
	s, err := ort.Load(b)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return b, s
}

func TestTheShippedRunsAreProved(t *testing.T) {
	runs := taxiRuns(t)
	if len(runs) < 2 {
		t.Fatalf("%d runs", len(runs))
	}
	for kind, runID := range runs {
		t.Run(kind, func(t *testing.T) {
			b, s := open(t, runID)
			if b.Manifest.Parity.Bound != "bits" {
				t.Errorf("the bound is %s", b.Manifest.Parity.Bound)
			}
			if _, err := model.New(b, s); err != nil {
				t.Error(err)
			}
		})
	}
}

// onnxruntime sums trees in other ways from 50 and from 128 rows on. With one
// thread a row's prediction is the same bits in every batch.
func TestABatchPredictsWhatItsRowsDo(t *testing.T) {
	for kind, runID := range taxiRuns(t) {
		t.Run(kind, func(t *testing.T) {
			b, s := open(t, runID)
			const rows = 1500
			random := rand.New(rand.NewPCG(1, 2))
			x, want := make([]float64, 2*rows), make([]float64, rows)
			for i := range rows {
				x[2*i] = float64(random.IntN(len(b.Manifest.Columns[0].Vocabulary) + 1))
				x[2*i+1] = random.ExpFloat64() * 3
				if err := s.Score(x[2*i:2*i+2], want[i:i+1]); err != nil {
					t.Fatal(err)
				}
			}
			for _, batch := range []int{2, 49, 50, 51, 100, 127, 128, 129, 1000, rows} {
				got := make([]float64, rows)
				for i := 0; i < rows; i += batch {
					end := min(i+batch, rows)
					if err := s.Score(x[2*i:2*end], got[i:end]); err != nil {
						t.Fatal(err)
					}
				}
				for i := range got {
					if math.Float64bits(got[i]) != math.Float64bits(want[i]) {
						t.Fatalf("batches of %d: row %d is %v, alone %v", batch, i, got[i], want[i])
					}
				}
			}
		})
	}
}

func TestScoreConcurrently(t *testing.T) {
	_, s := open(t, taxiRuns(t)["forest"])
	want := make([]float64, 1)
	if err := s.Score([]float64{1, 2}, want); err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for n := range 8 {
		group.Go(func() {
			for range 20 {
				x, y := make([]float64, 2*(n+1)), make([]float64, n+1)
				for i := range y {
					x[2*i], x[2*i+1] = 1, 2
				}
				if err := s.Score(x, y); err != nil || math.Float64bits(y[n]) != math.Float64bits(want[0]) {
					t.Errorf("got %v, %v; want %v", y, err, want[0])
				}
			}
		})
	}
	group.Wait()
}

func TestScoreAfterClose(t *testing.T) {
	_, s := open(t, taxiRuns(t)["linear"])
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Score(make([]float64, 2), make([]float64, 1)); err == nil {
		t.Error("a closed session predicts")
	}
}

func TestScoreRefusesAnotherWidth(t *testing.T) {
	_, s := open(t, taxiRuns(t)["linear"])
	for _, width := range []int{1, 3} {
		if err := s.Score(make([]float64, width), make([]float64, 1)); err == nil {
			t.Errorf("a row of %d columns is taken", width)
		}
	}
}

func TestLoadRefuses(t *testing.T) {
	good, _ := open(t, taxiRuns(t)["linear"])
	for name, test := range map[string]struct {
		change func(*bundle.Bundle)
		want   string
	}{
		"no ONNX":     {func(b *bundle.Bundle) { b.Model = []byte("no") }, "field 13 of the model is none of the converter's"},
		"another run": {func(b *bundle.Bundle) { b.Manifest.RunID = "other" }, `was made with run_id`},
		"other words": {func(b *bundle.Bundle) { b.Manifest.Fingerprint = "0" }, `was made with columns`},
	} {
		t.Run(name, func(t *testing.T) {
			b := *good
			test.change(&b)
			if _, err := ort.Load(&b); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v", err)
			}
		})
	}
}
