package model_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/skiff-ml/skiff/inference"
	"github.com/skiff-ml/skiff/inference/bundle"
	"github.com/skiff-ml/skiff/inference/internal/fixture"
	"github.com/skiff-ml/skiff/inference/model"
)

// numbered is a model of the fixture's, with a golden that fits.
func numbered(t *testing.T, scorer model.Scorer) *model.Model {
	t.Helper()
	m, err := model.New(&bundle.Bundle{Manifest: *fixture.Manifest(), Goldens: []bundle.Golden{{Record: ride("1"), Want: []float64{101}}}}, scorer)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// rides are a batch that m has predicted, of so many miles.
func rides(t *testing.T, m *model.Model, miles ...string) *inference.Batch {
	t.Helper()
	b := &inference.Batch{}
	b.Reset(len(miles))
	for i, n := range miles {
		b.Items[i].Data = []byte(ride(n))
	}
	if err := m.Predict(b); err != nil {
		t.Fatal(err)
	}
	return b
}

// The differences of what both predict, over all rides that the main model has a
// prediction for.
func TestShadow(t *testing.T) {
	main := numbered(t, fixture.Scorer(fixture.Sum))
	main.Keep()
	scorer := fixture.Scorer(func(row []float64) float64 { // 0.5 more from 50 miles on, 10 more from 99.5, none from 200
		switch d := row[1]; {
		case d >= 200:
			return math.NaN()
		case d >= 99.5:
			return fixture.Sum(row) + 10
		case d >= 50:
			return fixture.Sum(row) + 0.5
		}
		return fixture.Sum(row)
	})
	shadow := model.NewShadow(numbered(t, scorer), 0.75)
	var miles []string
	for i := range 200 {
		miles = append(miles, fmt.Sprint(float64(i)/2))
	}
	b := rides(t, main, append(miles, `"x"`, "200")...)
	got, err := shadow.Compare(t.Context(), b)
	want := model.Difference{Records: 200, Numbers: 200, Refused: 1, Mean: (99*0.5 + 10) / 200, P99: 0.5, Largest: 10, Beyond: 1}
	if err != nil || got != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	// a batch with nothing to compare, and one after it
	if got, err := shadow.Compare(t.Context(), rides(t, main, `"x"`)); err != nil || got != (model.Difference{}) {
		t.Errorf("got %+v, %v", got, err)
	}
	if got, err := shadow.Compare(t.Context(), rides(t, main, "60")); err != nil || got.Records != 1 || got.P99 != 0.5 || got.Beyond != 0 {
		t.Errorf("got %+v, %v", got, err)
	}
	// of a model that keeps nothing
	if got, err := shadow.Compare(t.Context(), rides(t, numbered(t, fixture.Scorer(fixture.Sum)), "1")); err != nil || got != (model.Difference{}) {
		t.Errorf("got %+v, %v", got, err)
	}
}

// Labels are compared as labels, whatever decides on them; outputs of another
// form not at all.
func TestShadowOfLabels(t *testing.T) {
	labelled := func(outputs, yes string, from float64) *model.Model {
		outputs = strings.ReplaceAll(outputs, "yes", yes)
		line := fmt.Sprintf("{\"record\": \"{\\\"n\\\": %v}\", \"outputs\": {\"late\": \"no\", \"p\": {\"no\": 0.5, %q: 0.5}}}\n", from, yes)
		b, err := bundle.Open(t.Context(), files(json.RawMessage(outputs), line), "run1")
		if err != nil {
			t.Fatal(err)
		}
		m, err := model.New(b, shifted(from))
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	outputs := strings.Replace(late, `, "margin": "m"`, "", 1)
	main := labelled(outputs, "yes", 0)
	main.Keep()
	b := &inference.Batch{}
	b.Reset(3)
	for i, n := range []string{"-1", "0.5", "2"} {
		b.Items[i].Data = []byte(`{"n": ` + n + `}`)
	}
	if err := main.Predict(b); err != nil {
		t.Fatal(err)
	}
	got, err := model.NewShadow(labelled(outputs, "yes", 1), 0).Compare(t.Context(), b)
	if err != nil || got.Records != 3 || got.LabelsChanged != 1 || got.Numbers != 6 || got.Beyond != 6 || !(got.Largest > 0.2 && got.Largest < 0.3) {
		t.Errorf("got %+v, %v", got, err)
	}
	other := labelled(outputs, "si", 0)
	if _, err := model.NewShadow(other, 0).Compare(t.Context(), b); !errors.Is(err, model.ErrOtherForm) {
		t.Errorf("other labels: %v", err)
	}
}

// shifted is a scorer of its rows, less so much.
type shifted float64

func (s shifted) Score(x, y []float64) error {
	for i := range y {
		y[i] = x[i] - float64(s)
	}
	return nil
}

// A scorerFunc is a scorer.
type scorerFunc func(x, y []float64) error

func (f scorerFunc) Score(x, y []float64) error { return f(x, y) }

// A shadow that fails, panics or is slow is no more than that: nobody waits
// longer than a second for it, or half of the invocation's time.
func TestShadowIsNobodysTrouble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		main := numbered(t, fixture.Scorer(fixture.Sum))
		main.Keep()
		how := func(x, y []float64) error { return fixture.Scorer(fixture.Sum).Score(x, y) }
		shadow := model.NewShadow(numbered(t, scorerFunc(func(x, y []float64) error { return how(x, y) })), 0)
		release := make(chan struct{})
		for _, test := range []struct {
			how  func(x, y []float64) error
			time time.Duration // the invocation has; 0: any
			want error
			took time.Duration
		}{
			{func(_, _ []float64) error { return errors.ErrUnsupported }, 0, errors.ErrUnsupported, 0},
			{func(_, _ []float64) error { panic("out of its mind") }, 0, nil, 0},
			{func(_, _ []float64) error { <-release; return nil }, 0, model.ErrSlow, time.Second},
			{func(_, _ []float64) error { return nil }, 0, model.ErrBusy, 0},
			{func(_, _ []float64) error { <-release; return nil }, time.Second, model.ErrSlow, time.Second / 2},
		} {
			if !errors.Is(test.want, model.ErrBusy) {
				how = test.how
			}
			ctx := t.Context()
			if test.time > 0 {
				timed, cancel := context.WithTimeout(ctx, test.time)
				defer cancel()
				ctx = timed
			}
			b := rides(t, main, "1", "2")
			began := time.Now()
			got, err := shadow.Compare(ctx, b)
			if err == nil || test.want != nil && !errors.Is(err, test.want) || time.Since(began) != test.took || got.Records != 0 {
				t.Errorf("got %+v, %v after %v; want %v after %v", got, err, time.Since(began), test.want, test.took)
			}
			if len(b.Messages) != 2 {
				t.Errorf("%d predictions are left", len(b.Messages))
			}
			if errors.Is(test.want, model.ErrBusy) {
				close(release)
				synctest.Wait()
				release = make(chan struct{})
			}
		}
		close(release)
		synctest.Wait()
		how = func(x, y []float64) error { return fixture.Scorer(fixture.Sum).Score(x, y) }
		if got, err := shadow.Compare(t.Context(), rides(t, main, "1")); err != nil || got.Records != 1 || got.Largest != 0 {
			t.Errorf("afterwards %+v, %v", got, err)
		}
	})
}
