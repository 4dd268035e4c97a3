package taxi_test

import (
	"encoding/json"
	"math"
	"testing"
	"time"

	"github.com/skiff-ml/skiff/cmd/tools/internal/taxi"
)

// data is where the rides are.
const data = "../../../../models/taxi"

func TestReadRides(t *testing.T) {
	rides, err := taxi.ReadRides(data+"/rides.parquet", 20_000)
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range rides {
		if r.Pickup < taxi.StreamFrom || r.Minutes() < 1 || r.Minutes() > 60 {
			t.Fatalf("ride %d: %+v", i, r)
		}
	}
	if day := time.Unix(taxi.StreamFrom*24*60*60, 0).UTC().Format(time.DateOnly); day != "2019-01-01" {
		t.Errorf("the first day is %s", day)
	}
	if _, err := taxi.ReadRides(data+"/rides.parquet", 10_000_000); err == nil {
		t.Error("more rides than there are")
	}
}

func TestReadPredictions(t *testing.T) {
	runs, err := taxi.ReadRuns(data + "/runs.json")
	if err != nil {
		t.Fatal(err)
	}
	for name, run := range runs {
		p, err := taxi.ReadPredictions(data+"/predictions.parquet", run, 20_000)
		if err != nil || len(p) != 20_000 {
			t.Fatalf("%s: %d predictions, %v", name, len(p), err)
		}
		few, err := taxi.ReadPredictions(data+"/predictions.parquet", run, 5)
		if err != nil || len(few) != 5 || few[4] != p[4] {
			t.Errorf("%s: %v, %v", name, few, err)
		}
	}
	if p, err := taxi.ReadPredictions(data+"/predictions.parquet", "no such run", 5); p != nil || err != nil {
		t.Errorf("an unknown run: %v, %v", p, err)
	}
}

func TestRecord(t *testing.T) {
	for _, miles := range []float64{0, 3.66, 0.1 + 0.2, 1e-7, 123456789.123, 1e21} {
		record, err := taxi.Ride{From: 130, To: 205, Miles: miles}.Record(7)
		if err != nil {
			t.Fatal(err)
		}
		var got struct {
			Ride map[string]float64 `json:"ride"`
			ID   int                `json:"ride_id"`
		}
		if err := json.Unmarshal(record, &got); err != nil {
			t.Fatal(err)
		}
		if got.ID != 7 || got.Ride["PULocationID"] != 130 || got.Ride["DOLocationID"] != 205 ||
			math.Float64bits(got.Ride["trip_distance"]) != math.Float64bits(miles) {
			t.Errorf("%s", record)
		}
	}
}
