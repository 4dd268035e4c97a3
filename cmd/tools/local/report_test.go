package main

import (
	"bytes"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/skiff-ml/skiff/cmd/tools/internal/taxi"
	"github.com/skiff-ml/skiff/inference"
)

// testOutcome is the outcome of two rides, both predicted as they should be.
func testOutcome(t *testing.T) *outcome {
	t.Helper()
	o := &outcome{
		rides: make([]taxi.Ride, 2), reference: []float64{21, 22.5}, published: newPublished(2),
		givenUp: map[string]bool{}, letters: &deadLetters{of: map[int][]inference.DeadLetter{}},
		scored: 2, invocations: 1, elapsed: time.Second, settings: settings{runID: "r", predictions: "predictions.parquet"},
	}
	o.manifest = manifest{runID: "r", id: "ride_id", prediction: "ride_duration", unit: "minutes"}
	publish(t, o, `{"model":"m","version":"r","prediction":{"ride_duration":21.0,"ride_id":0}}`)
	publish(t, o, `{"model":"m","version":"r","prediction":{"ride_duration":22.5,"ride_id":1}}`)
	return o
}

func publish(t *testing.T, o *outcome, record string) {
	t.Helper()
	if err := o.published.add([]byte(record), o.manifest); err != nil {
		t.Fatal(err)
	}
}

func TestVerdict(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(o *outcome)
		want   string
	}{
		{"all is well", func(*outcome) {}, ""},
		{"duplicates are fine", func(o *outcome) { publish(t, o, `{"version":"r","prediction":{"ride_duration":21.0,"ride_id":0}}`) }, ""},
		{"one bit off", func(o *outcome) { o.reference[1] = math.Nextafter(22.5, 23) }, "1 of 2 predictions are not equal"},
		{"NaN is not equal to a number", func(o *outcome) { o.reference[1] = math.NaN() }, "1 of 2 predictions are not equal"},
		{"a copy that differs", func(o *outcome) { publish(t, o, `{"version":"r","prediction":{"ride_duration":21.5,"ride_id":0}}`) }, "1 of 2 predictions are not equal"},
		{"lost", func(o *outcome) { o.published.copies[0] = 0 }, "1 of 2 rides are lost"},
		{"given up", func(o *outcome) { o.published.copies[0] = 0; o.givenUp["0"] = true }, "1 rides that the pipeline predicts were given up"},
		{"no reference", func(o *outcome) { o.reference = nil }, ""},
		{"nothing published", func(o *outcome) {
			o.reference = nil
			o.published = newPublished(2)
			o.givenUp = map[string]bool{"0": true, "1": true}
		}, "nothing was published"},
		{"a bad ride", func(o *outcome) { spoil(t, o, letter) }, ""},
		{"a bad ride, published", func(o *outcome) { spoil(t, o, letter); o.published.copies[0] = 1 }, "1 bad rides were published"},
		{"a bad ride, nowhere", func(o *outcome) { spoil(t, o) }, "1 of 2 rides are lost"},
		{
			"a bad ride, for another reason", func(o *outcome) { spoil(t, o, strings.Replace(letter, "not_json", "wrong_type", 1)) },
			"1 dead letters have another reason than they should, one: ride 0, empty, is wrong_type and not not_json",
		},
		{"a bad ride, without its bytes", func(o *outcome) { spoil(t, o, strings.Replace(letter, "YmFk", "", 1)) }, "1 dead letters have not their record's bytes"},
		{"a bad ride, twice", func(o *outcome) { spoil(t, o, letter, letter) }, "1 dead letters are there more than once"},
		{"a good ride among them", func(o *outcome) { spoil(t, o, letter, strings.Replace(letter, `"0"`, `"1"`, 1)) }, "1 good rides are among the dead letters"},
		{"a good ride, twice, beside a bad one", func(o *outcome) {
			spoil(t, o, letter)
			publish(t, o, `{"version":"r","prediction":{"ride_duration":22.5,"ride_id":1}}`)
		}, "1 predictions were published again"},
		{"a letter of no ride", func(o *outcome) { spoil(t, o, letter); o.letters.wrong, o.letters.why = 1, errors.New("why") }, "1 dead letters are of no ride"},
		{"nothing but bad rides", func(o *outcome) {
			spoil(t, o, letter, strings.Replace(letter, `"0"`, `"1"`, 1))
			o.published, o.bad[1] = newPublished(2), o.bad[0]
		}, ""},
		{"foreign records", func(o *outcome) { o.published.wrong, o.published.why = 1, errors.New("why") }, "1 records are no predictions of this run"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := testOutcome(t)
			tt.change(o)
			err := o.verdict()
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %s", err, tt.want)
			}
		})
	}
}

// letter is ride 0's.
const letter = `{"reason":"not_json","detail":"it is no JSON","partition_key":"0","sequence_number":"1","run_id":"r","bytes":3,"data":"YmFk"}`

// spoil makes ride 0 a bad one, with these dead letters.
func spoil(t *testing.T, o *outcome, letters ...string) {
	t.Helper()
	o.bad = map[int]badRide{0: {way{name: "empty", reason: inference.NotJSON}, []byte("bad")}}
	o.published.copies[0] = 0
	for _, l := range letters {
		if err := o.letters.add([]byte(l), len(o.rides)); err != nil {
			t.Fatal(err)
		}
	}
}

func TestForeignRecords(t *testing.T) {
	o := testOutcome(t)
	for _, record := range []string{
		`{`,
		`{"version":"other","prediction":{"ride_duration":21.0,"ride_id":0}}`,
		`{"version":"r","prediction":{"ride_duration":21.0,"ride_id":2}}`,
		`{"version":"r","prediction":{"ride_duration":21.0,"ride_id":"0"}}`,
		`{"version":"r","prediction":{"ride_duration":21.0}}`,
		`{"version":"r","prediction":{"ride_duration":"21","ride_id":0}}`,
		`{"version":"r","prediction":{"ride_id":0}}`,
	} {
		if err := o.published.add([]byte(record), o.manifest); err == nil {
			t.Errorf("%s was taken", record)
		}
	}
}

func TestPrint(t *testing.T) {
	o := testOutcome(t)
	o.settings.mapping.BatchSize = 1000
	o.rides = []taxi.Ride{{From: 130, To: 205, Miles: 3.66, Duration: 1266}, {From: 7, To: 8, Miles: 0.5, Duration: 90}}
	o.reference[1] = 22
	var out bytes.Buffer
	if err := o.print(&out); err != nil {
		t.Fatal(err)
	}
	const want = `  ride  from    to   miles   predicted minutes  actual minutes  the pipeline's own
     0   130   205    3.66                  21           21.10  equal
     1     7     8    0.50                22.5            1.50  22
1 of 2 predictions equal to the pipeline's to the last bit
2 rides: 2 published, 0 duplicates, 0 dead-lettered, 0 lost; 2 records/s in 1 invocations of up to 1000 records
{"run_id":"r","produced":2,"scored":2,"published":2,"dead_lettered":0,"lost":0,"records_per_s":2,"compared":2,"equal":1,"duplicates":0,"invocations":1,"seconds":1}
`
	if out.String() != want {
		t.Errorf("printed\n%s\nwant\n%s", out.String(), want)
	}
	spoil(t, o, letter)
	out.Reset()
	if err := o.print(&out); err != nil {
		t.Fatal(err)
	}
	const table = `dead letters   rides  such as
not_base64         0  (no record of a stream can be: Kinesis encodes them)
not_json           1  it is no JSON
missing_field      0
wrong_type         0
not_finite         0
too_large          0
0 of 1 predictions equal`
	if s := out.String(); !strings.Contains(s, table) || !strings.Contains(s, `"dead_lettered":1,`) || !strings.Contains(s, `"seconds":1,"dead_letters":{"not_json":1}}`) {
		t.Errorf("printed\n%s\nwant\n%s", s, table)
	}
	o.bad = nil
	o.reference = nil
	out.Reset()
	if err := o.print(&out); err != nil {
		t.Fatal(err)
	}
	if s := out.String(); !strings.Contains(s, "predictions.parquet has no predictions of run r: nothing to compare with") || !strings.Contains(s, `"compared":0,"equal":0`) {
		t.Errorf("printed\n%s", s)
	}
}
