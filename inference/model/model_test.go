package model_test

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/skiff-ml/skiff/inference"
	"github.com/skiff-ml/skiff/inference/bundle"
	"github.com/skiff-ml/skiff/inference/internal/fixture"
	"github.com/skiff-ml/skiff/inference/model"
)

// ride is a golden's record of that many miles.
func ride(miles string) string { return fixture.Ride("1", miles) }

// goldens are what fixture.Sum predicts of some rides.
func goldens() []bundle.Golden {
	return []bundle.Golden{
		{Record: ride("3.66"), Want: []float64{103.66}},
		{Record: strings.Replace(ride("1"), "130", "1", 1), Want: []float64{1.5}, Within: 0.5},
		{Record: `{"ride": {}}`, Reject: inference.MissingField, Field: "ride.PULocationID"},
	}
}

func prove(goldens []bundle.Golden, predict func([]float64) float64) error {
	_, err := model.New(&bundle.Bundle{Manifest: *fixture.Manifest(), Goldens: goldens}, fixture.Scorer(predict))
	return err
}

func TestProve(t *testing.T) {
	if err := prove(goldens(), fixture.Sum); err != nil {
		t.Error(err)
	}
}

func TestProveRefuses(t *testing.T) {
	for name, golden := range map[string]bundle.Golden{
		"one bit off":            {Record: ride("3.66"), Want: []float64{103.66000000000001}},
		"the other zero":         {Record: ride("-100"), Want: []float64{math.Copysign(0, -1)}},
		"out of bounds":          {Record: ride("3.66"), Want: []float64{104}, Within: 0.3},
		"rejected, not wanted":   {Record: ride(`"3"`), Want: []float64{103}},
		"wanted, not rejected":   {Record: ride("3"), Reject: inference.WrongType, Field: "ride.trip_distance"},
		"rejected for other":     {Record: ride("null"), Reject: inference.NotFinite, Field: "ride.trip_distance"},
		"rejected for elsewhere": {Record: ride("null"), Reject: inference.WrongType, Field: "ride"},
	} {
		t.Run(name, func(t *testing.T) {
			if err := prove(append(goldens(), golden), fixture.Sum); !errors.Is(err, model.ErrNotProved) || !strings.Contains(err.Error(), "golden 4") {
				t.Errorf("got %v", err)
			}
		})
	}
}

// NaN is within no bound.
func TestProveRefusesNaN(t *testing.T) {
	wide := goldens()[1:2]
	wide[0].Within = 1e300
	if err := prove(wide, fixture.Sum); err != nil {
		t.Error(err)
	}
	if err := prove(wide, func([]float64) float64 { return math.NaN() }); err == nil {
		t.Error("NaN passes")
	}
}

// two is a scorer of three values a row: the columns' sum, their difference, 0.
type two struct{}

func (two) Score(x, y []float64) error {
	for i := range len(x) / 2 {
		y[3*i], y[3*i+1], y[3*i+2] = x[2*i]+x[2*i+1], x[2*i]-x[2*i+1], 0
	}
	return nil
}

// Several outputs, one of them a list, come out by name and in order.
func TestPredictWritesEveryOutput(t *testing.T) {
	m := fixture.Manifest()
	m.Outputs = []bundle.Output{{Name: "sum", Kind: "number", Width: 1, Link: "identity"}, {Name: "rest", Kind: "number", Width: 2, Link: "identity"}}
	served, err := model.New(&bundle.Bundle{Manifest: *m, Goldens: []bundle.Golden{{Record: ride("3"), Want: []float64{4, -2, 0}}}}, two{})
	if err != nil {
		t.Fatal(err)
	}
	var b inference.Batch
	b.Reset(2)
	b.Items[0].Data, b.Items[1].Data = []byte(ride("3")), []byte(ride("0.5"))
	if err := served.Predict(&b); err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{
		`{"model":"ride_duration_prediction_model","version":"run1","prediction":{"sum":4.0,"rest":[-2.0,0.0],"ride_id":1}}`,
		`{"model":"ride_duration_prediction_model","version":"run1","prediction":{"sum":1.5,"rest":[0.5,0.0],"ride_id":1}}`,
	} {
		if got := string(b.Messages[i].Data); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

// Batch sizes alternate: nothing of a batch is left in the next.
func TestPredictForgetsTheLastBatch(t *testing.T) {
	served, err := model.New(&bundle.Bundle{Manifest: *fixture.Manifest(), Goldens: goldens()}, fixture.Scorer(fixture.Sum))
	if err != nil {
		t.Fatal(err)
	}
	var b inference.Batch
	for _, n := range []int{3, 1, 0, 2} {
		b.Reset(n)
		for i := range n {
			b.Items[i].Data = []byte(strings.Replace(ride("1"), "205", "-1", 1))
		}
		if err := served.Predict(&b); err != nil {
			t.Fatal(err)
		}
		if b.Unknown != n || len(b.Messages) != n || b.RunID != "run1" {
			t.Errorf("%d items: %d unknown categories, %d messages of run %s", n, b.Unknown, len(b.Messages), b.RunID)
		}
	}
}

// A neighbour is a scorer whose first row is right, and the others only when the
// rows before them are as they were.
type neighbour struct{}

func (neighbour) Score(x, y []float64) error {
	for i := range y {
		y[i] = fixture.Sum(x[2*i : 2*i+2])
		if i > 0 && x[2*i+1] > x[2*i-1] {
			y[i]++
		}
	}
	return nil
}

// A prediction that depends on the records around it is none: goldens are
// replayed the other way round as well.
func TestProveRefusesNeighbours(t *testing.T) {
	b := &bundle.Bundle{Manifest: *fixture.Manifest(), Goldens: []bundle.Golden{
		{Record: ride("3"), Want: []float64{103}}, {Record: `{}`, Reject: inference.MissingField, Field: "ride"}, {Record: ride("2"), Want: []float64{102}},
	}}
	if _, err := model.New(b, fixture.Scorer(fixture.Sum)); err != nil {
		t.Error(err)
	}
	if _, err := model.New(b, neighbour{}); !errors.Is(err, model.ErrNotProved) || !strings.Contains(err.Error(), "golden 1: it predicts 104") {
		t.Errorf("got %v", err)
	}
}

// However many goldens there are, and however wide, they are replayed a part at
// a time, and the first that differs is named.
func TestProveManyGoldens(t *testing.T) {
	many := make([]bundle.Golden, 3000)
	for i := range many {
		many[i] = bundle.Golden{Record: ride(fmt.Sprint(i)), Want: []float64{100 + float64(i)}}
	}
	if err := prove(many, fixture.Sum); err != nil {
		t.Error(err)
	}
	many[2500].Want[0]++
	if err := prove(many, fixture.Sum); err == nil || !strings.Contains(err.Error(), "golden 2501: it predicts 2600, and the original pipeline 2601") {
		t.Errorf("got %v", err)
	}
}
