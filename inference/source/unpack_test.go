package source

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/skiff-ml/skiff/inference"
	"github.com/skiff-ml/skiff/inference/hint"
	"github.com/skiff-ml/skiff/inference/internal/fixture"
	"github.com/skiff-ml/skiff/inference/kpl"
	"github.com/skiff-ml/skiff/inference/unpack"
)

// aggregate returns a record of several, their keys k0, k1….
func aggregate(records ...string) string {
	var w kpl.Writer
	w.Reset("0")
	for i, r := range records {
		w.Add(fmt.Sprint("k", i), []byte(r))
	}
	return string(w.Append(nil))
}

func gzipped(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(text)); err != nil {
		panic(err) // a buffer takes all
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return b.String()
}

// published returns the ids of the predictions in their order.
func (r response) ids() string {
	var ids []string
	for _, p := range r.Predictions {
		ids = append(ids, string(p.Prediction["ride_id"]))
	}
	return strings.Join(ids, " ")
}

// Each document of what people's streams hold is predicted, in order.
func TestRecordsOfSeveral(t *testing.T) {
	for name, want := range map[string]string{
		"00-one/event.json":            "156",
		"01-kpl-aggregated/event.json": "1 2 3 4 5 6 7",
		"02-compressed/event.json":     "1 2 3", // and a check of CloudWatch Logs, which is dealt with
		"03-many-in-one/event.json":    "1 2 3 4 5 6 7 8",
	} {
		stream := &takes{}
		k, log := newSourceWith(stream, nil)
		k.Reported = false
		r := invoke(t, k, readCase(t, name))
		if r.ids() != want || r.failures() != "" || stream.taken() != len(r.Predictions) || strings.Contains(log.String(), "WARN") {
			t.Errorf("%s: got %s, failures %q, published %d, logged %s", name, r.ids(), r.failures(), stream.taken(), log)
		}
		records := strings.Count(string(readCase(t, name)), `"sequenceNumber"`)
		if want := fmt.Sprintf(`"records":%d,"documents":%d,`, records, len(r.Predictions)); !strings.Contains(log.String(), want) {
			t.Errorf("%s: %s is not in %s", name, want, log)
		}
	}
}

// What is wrong in a record of several is dead-lettered by itself, with its
// place, its key and its bytes, and the rest is predicted.
func TestDeadLettersOfParts(t *testing.T) {
	stream, dead := &takes{}, &takes{}
	k, _ := newSourceWith(stream, dead)
	r := invoke(t, k, fixture.Event(fixture.Ride("0", "1"), aggregate(fixture.Ride("1", "1"), "bad", fixture.Ride("2", `"x"`)), gzipped("bad"),
		fixture.Ride("3", "1")+"\n{bad}\n", gzipped(fixture.Ride("4", "1"))[:30]))
	if r.ids() != "0 1 3" || r.failures() != "" || stream.taken() != 3 {
		t.Errorf("got %s, failures %s, published %d", r.ids(), r.failures(), stream.taken())
	}
	var got []string
	for _, m := range dead.messages {
		var l inference.DeadLetter
		if err := json.Unmarshal(m.Data, &l); err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprintf("%s/%d %s %s %s %.10q", l.SequenceNumber, l.Sub, l.PartitionKey, l.Reason, l.Shard, l.Data))
	}
	want := []string{
		`1/2 k1 not_json shardId-0 "bad"`, `1/3 k2 wrong_type shardId-0 "{\"ride\": {"`, `2/0 key2 not_json shardId-0 "bad"`,
		`3/2 key3 not_json shardId-0 "{bad}"`, `4/0 key4 not_json shardId-0 "\x1f\x8b\b\x00\x00\x00\x00\x00\x00\xff"`,
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// A record is reported once, where any of it is to be tried again: then all of
// it comes again, and all behind it. What was published of that is counted.
func TestPartsShareTheirRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stream := sinkFunc(func(_ context.Context, messages []inference.Message) ([]int, error) {
			var failed []int
			for i, m := range messages {
				if m.Key == "2" || m.Key == "3" {
					failed = append(failed, i)
				}
			}
			if failed == nil {
				return nil, nil
			}
			return failed, errBusy
		})
		k, log := newSource(stream)
		ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
		defer cancel()
		raw, err := k.Invoke(ctx, fixture.Event(fixture.Ride("0", "1"),
			aggregate(fixture.Ride("1", "1"), fixture.Ride("2", "1"), fixture.Ride("3", "1"), fixture.Ride("4", "1")), fixture.Ride("5", "1")))
		if err != nil || !strings.HasSuffix(string(raw), `"batchItemFailures":[{"itemIdentifier":"1"}]}`) {
			t.Errorf("got %s, %v", raw, err)
		}
		const want = `"records":3,"documents":6,"predicted":6,"rejected":0,"dead_lettered":0,"unsent":2,"repeats":3,`
		if !strings.Contains(log.String(), want) {
			t.Errorf("logged %s", log)
		}
	})
}

// What an invocation takes is bounded: records behind that come again, and there
// is progress however large a record is.
func TestRecordsThatHoldTooMuchForOneInvocation(t *testing.T) {
	const megabyte = 1 << 20
	half := gzipped(fixture.Ride("1", "1")) + strings.Repeat(gzipped(strings.Repeat(" ", megabyte)), unpack.MaxBytes/megabyte*3/4)
	records := []string{half, half, half, half, fixture.Ride("5", "1")}
	var failures []string
	for len(records) > 0 {
		stream := &takes{}
		k, log := newSource(stream)
		r := invoke(t, k, fixture.Event(records...))
		failures = append(failures, r.failures())
		if stream.taken() == 0 {
			t.Fatalf("no progress: %s", log)
		}
		records = records[stream.taken():]
		if len(records) > 0 && (!strings.Contains(log.String(), errFull.Error()) || !strings.Contains(log.String(), hint.Of(errFull))) {
			t.Errorf("logged %s", log)
		}
	}
	if got := strings.Join(failures, "; "); got != "3 4; " {
		t.Errorf("failures %q", got)
	}

	// what can never succeed comes again behind them as well: it is dead-lettered once, and not before
	letters := &takes{}
	k, log := newSourceWith(&takes{}, letters)
	bad := `, {"kinesis": {"sequenceNumber": "4", "data": "?"}}, {"kinesis": {"sequenceNumber": "5"}}]}`
	full := strings.Replace(string(fixture.Event(half, half, half, fixture.Ride("3", "1"))), `]}`, bad, 1)
	if r := invoke(t, k, []byte(full)); r.failures() != "3 4 5" || letters.taken() > 0 {
		t.Errorf("failures %q, %d letters: %s", r.failures(), letters.taken(), log)
	}

	many := strings.Repeat("{}\n", unpack.MaxDocuments/2)
	k, _ = newSourceWith(&takes{}, &takes{})
	if r := invoke(t, k, fixture.Event(many, many, fixture.Ride("5", "1"))); r.failures() != "2" {
		t.Errorf("failures %q", r.failures())
	}
	if len(k.free) > 0 {
		t.Error("it keeps the memory of a hundred thousand documents")
	}
}

// Whoever does not read what is reported gets an error, that counts documents.
func TestPartsThatAreNotDealtWith(t *testing.T) {
	k, _ := newSource(&takes{})
	k.Reported = false
	_, err := k.Invoke(t.Context(), fixture.Event(aggregate(fixture.Ride("1", "1"), "bad", fixture.Ride("2", "1"))))
	if err == nil || err.Error() != "1 of 3 documents are not dealt with, the first: not_json" {
		t.Error(err)
	}
}

// A bomb is one record's reason, and nobody else's outage.
func TestBomb(t *testing.T) {
	dead := &takes{}
	k, _ := newSourceWith(&takes{}, dead)
	r := invoke(t, k, fixture.Event(fixture.Ride("0", "1"), strings.Repeat(gzipped(strings.Repeat(" ", 1<<20)), 17), fixture.Ride("2", "1")))
	if r.ids() != "0 2" || r.failures() != "" || dead.taken() != 1 || !strings.Contains(string(dead.messages[0].Data), `"reason":"too_large","detail":"it is compressed with gzip, and what comes out has more than 16777216 bytes"`) {
		t.Errorf("got %s, failures %q, letters %.300q", r.ids(), r.failures(), dead.messages)
	}
}
