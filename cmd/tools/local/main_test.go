package main

import (
	"bytes"
	"errors"
	"io"
	"math"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/rogpeppe/go-internal/testscript"

	"skiff/cmd/internal/lambdatest"
	"skiff/cmd/internal/lambdatest/mapping"
	"skiff/cmd/tools/internal/taxi"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"local": main})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata"})
}

func TestProduce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var (
			mu    sync.Mutex
			calls int
			got   = map[string]int{}
		)
		client := lambdatest.StubKinesis(func(in any) (any, error) { // the first three calls fail every other record
			mu.Lock()
			defer mu.Unlock()
			calls++
			out := &kinesis.PutRecordsOutput{FailedRecordCount: aws.Int32(0)}
			for i, e := range in.(*kinesis.PutRecordsInput).Records {
				if calls <= 3 && i%2 == 0 {
					*out.FailedRecordCount++
					out.Records = append(out.Records, types.PutRecordsResultEntry{ErrorCode: aws.String("ProvisionedThroughputExceededException")})
					continue
				}
				got[*e.PartitionKey]++
				out.Records = append(out.Records, types.PutRecordsResultEntry{SequenceNumber: aws.String("1")})
			}
			return out, nil
		})
		var done atomic.Int64
		if err := produce(t.Context(), client, make([]taxi.Ride, 1234), &done); err != nil {
			t.Fatal(err)
		}
		if calls != 6 || done.Load() != 1234 || len(got) != 1234 {
			t.Errorf("%d calls put %d of %d rides", calls, len(got), done.Load())
		}
		for key, n := range got {
			if n != 1 {
				t.Errorf("ride %s was put %d times", key, n)
			}
		}
	})
}

func TestProduceGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := lambdatest.StubKinesis(func(in any) (any, error) {
			n := len(in.(*kinesis.PutRecordsInput).Records)
			out := &kinesis.PutRecordsOutput{FailedRecordCount: aws.Int32(int32(n))}
			for range n {
				out.Records = append(out.Records, types.PutRecordsResultEntry{ErrorCode: aws.String("InternalFailure")})
			}
			return out, nil
		})
		var done atomic.Int64
		err := produce(t.Context(), client, make([]taxi.Ride, 10_000), &done)
		if err == nil || !strings.Contains(err.Error(), "500 still fail after 8 attempts") || done.Load() != 0 {
			t.Errorf("%d done, error %v", done.Load(), err)
		}
	})
}

// testOutcome is the outcome of two rides, both predicted as they should be.
func testOutcome(t *testing.T) *outcome {
	t.Helper()
	o := &outcome{
		rides: make([]taxi.Ride, 2), reference: []float64{21, 22.5}, published: newPublished(2), dead: map[string]bool{},
		scored: 2, invocations: 1, elapsed: time.Second, settings: settings{runID: "r", predictions: "predictions.parquet"},
	}
	o.manifest.RunID, o.manifest.ID.Name, o.manifest.Prediction.Name, o.manifest.Prediction.Unit = "r", "ride_id", "ride_duration", "minutes"
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
		{"given up", func(o *outcome) { o.published.copies[0] = 0; o.dead["0"] = true }, "1 rides that the pipeline predicts were given up"},
		{"no reference", func(o *outcome) { o.reference = nil }, ""},
		{"nothing published", func(o *outcome) {
			o.reference = nil
			o.published = newPublished(2)
			o.dead = map[string]bool{"0": true, "1": true}
		}, "nothing was published"},
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
	o.reference = nil
	out.Reset()
	if err := o.print(&out); err != nil {
		t.Fatal(err)
	}
	if s := out.String(); !strings.Contains(s, "predictions.parquet has no predictions of run r: nothing to compare with") || !strings.Contains(s, `"compared":0,"equal":0`) {
		t.Errorf("printed\n%s", s)
	}
}

func TestProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		p := newProgress(&out)
		p.step(func() string { return "at it" })
		<-time.After(2500 * time.Millisecond)
		p.finish("done in %d s", 2)
		<-time.After(2500 * time.Millisecond)
		p.close()
		if got := out.String(); got != "at it\nat it\ndone in 2 s\n" {
			t.Errorf("printed %q", got)
		}
	})
}

func TestLock(t *testing.T) {
	s := settings{dir: t.TempDir()}
	l, err := takeLock(s)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.sign(); err != nil {
		t.Fatal(err)
	}
	if _, err := takeLock(s); !errors.Is(err, errLocked) {
		t.Errorf("a second lock: %v", err)
	}
	if pid, err := lockHolder(s); err != nil || pid != os.Getpid() {
		t.Errorf("held by %d, %v", pid, err)
	}
	if err := waitForLock(t.Context(), s, time.Millisecond); !errors.Is(err, errLocked) {
		t.Errorf("waiting for it: %v", err)
	}
	l.release()
	if err := waitForLock(t.Context(), s, time.Minute); err != nil {
		t.Error(err)
	}
}

func TestDeadLetters(t *testing.T) {
	var file bytes.Buffer
	l := &deadLetters{file: &file, keys: map[string]bool{}}
	d := mapping.Discarded{Version: "1.0", Records: []mapping.Record{{PartitionKey: "7"}, {PartitionKey: "8"}}}
	for range 2 {
		if err := l.Discard(t.Context(), d); err != nil {
			t.Fatal(err)
		}
	}
	if lines := strings.Count(file.String(), "\n"); lines != 2 || len(l.keys) != 2 || !l.keys["7"] {
		t.Errorf("%d lines, keys %v", lines, l.keys)
	}
	l.file = writerFunc(func([]byte) (int, error) { return 0, io.ErrShortWrite })
	if err := l.Discard(t.Context(), d); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("error %v", err)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
