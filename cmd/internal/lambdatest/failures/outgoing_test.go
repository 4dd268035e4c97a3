//go:build integration

package failures

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"github.com/skiff-ml/skiff/cmd/internal/lambdatest/faults"
	"github.com/skiff-ml/skiff/inference/kpl"
	"github.com/skiff-ml/skiff/inference/limits"
)

// A prediction is what is read of one.
type prediction struct {
	Prediction struct {
		ID int `json:"ride_id"`
	}
	Meta struct {
		ID      string
		EventID string `json:"event_id"`
		Arrived time.Time
		RunID   string `json:"run_id"`
	}
	key string
}

// readPredictions returns those of the stream, in its order, out of their aggregates.
func (p *path) readPredictions() (all []prediction, records int) {
	p.t.Helper()
	add := func(key string, data []byte) {
		one := prediction{key: key}
		if err := json.Unmarshal(data, &one); err != nil {
			p.t.Fatalf("%v in %.300q", err, data)
		}
		all = append(all, one)
	}
	for _, r := range p.records(p.predictions) {
		records++
		if !kpl.Is(r.Data) {
			add(r.PartitionKey, r.Data)
			continue
		}
		a, err := kpl.Read(r.Data, limits.BatchRecords)
		if err != nil {
			p.t.Fatal(err)
		}
		for key, data := range a.All() {
			add(string(key), data)
		}
	}
	return all, records
}

// produceKeyed puts n rides, of so many keys in turn.
func (p *path) produceKeyed(n, keys int) {
	p.t.Helper()
	for start := p.put; p.put < start+n; {
		in := &kinesis.PutRecordsInput{StreamName: &p.rides}
		for ; p.put < start+n && len(in.Records) < limits.PutRecords; p.put++ {
			in.Records = append(in.Records, types.PutRecordsRequestEntry{Data: ride(p.put), PartitionKey: aws.String(fmt.Sprint("key", p.put%keys))})
		}
		p.putOnce(in)
	}
}

// Aggregates are few records, and what is in them is each ride's prediction, whatever the stream does with them.
func TestAggregates(t *testing.T) {
	third := func(i int, _ string) bool { return i%3 == 0 }
	for name, script := range map[string]faults.Script{
		"as it should be": nil, "partly failed": faults.First(4, faults.Partly(third)), "reset": faults.First(3, faults.Reset(false)),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const rides = 2000
			p := newPath(t, options{mapping: deployed(), reported: true, env: []string{"OUTPUT_AGGREGATION=kpl", "OUTPUT_NEWLINE=True"}})
			if script != nil {
				p.proxy.Set("PutRecords", script)
			}
			p.produce(rides, 0)
			p.run()
			all, records := p.readPredictions()
			times := map[int]int{}
			for _, one := range all {
				if times[one.Prediction.ID]++; one.key != strconv.Itoa(one.Prediction.ID) {
					t.Errorf("the key of ride %d is %s", one.Prediction.ID, one.key)
				}
			}
			if len(times) != rides || len(all) != rides || records > 8*p.progress.Invocations*2 {
				t.Errorf("%d predictions of %d rides in %d records", len(all), len(times), records)
			}
		})
	}
}

// A key's predictions leave in the order of its records, also after partial failures, and repeats are told by their ids.
func TestOrdered(t *testing.T) {
	for name, aggregation := range map[string]string{"records": "off", "aggregates": "kpl"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const rides, keys = 1000, 100
			p := newPath(t, options{mapping: deployed(), reported: true, timeout: 800 * time.Millisecond, env: []string{"ORDERED=key", "OUTPUT_META=True", "OUTPUT_AGGREGATION=" + aggregation}})
			p.proxy.Set("PutRecords", faults.While(func() bool { return p.failedInvocations() == 0 }, faults.Partly(func(i int, _ string) bool { return i%7 == 0 })))
			p.produceKeyed(rides, keys)
			p.run()
			all, _ := p.readPredictions()
			next, ids := map[string]int{}, map[string]bool{}
			for _, one := range all {
				if ids[one.Meta.ID] {
					continue
				}
				ids[one.Meta.ID] = true
				want := fmt.Sprint("key", one.Prediction.ID%keys)
				if got := one.Prediction.ID / keys; one.key != want || next[want] != got {
					t.Errorf("ride %d of key %s is the %d., not the %d.", one.Prediction.ID, one.key, next[want], got)
				}
				next[want]++
				if one.Meta.EventID == "" || one.Meta.RunID == "" || time.Since(one.Meta.Arrived).Abs() > time.Hour {
					t.Errorf("%+v", one.Meta)
				}
			}
			if len(ids) != rides || p.failed == 0 || len(all) == rides {
				t.Errorf("%d of %d rides, %d times, %d invocations failed in part", len(ids), rides, len(all), p.failed)
			}
			t.Logf("%d predictions, %d repeats, %d requests", len(all), len(all)-rides, p.proxy.Calls("PutRecords"))
		})
	}
}

// What records hold is predicted, each document once, also after partial failures; what of it is no JSON is one dead letter.
func TestPackedRecords(t *testing.T) {
	p := newPath(t, options{mapping: deployed(), reported: true, deadLetters: true})
	p.proxy.Set("PutRecords", faults.First(3, faults.Partly(func(i int, _ string) bool { return i%3 == 0 })))
	const rides, perRecord = 600, 6
	in := &kinesis.PutRecordsInput{StreamName: &p.rides}
	put := func(data []byte) {
		in.Records = append(in.Records, types.PutRecordsRequestEntry{Data: data, PartitionKey: aws.String("0")})
	}
	var w kpl.Writer
	for i := 0; i < rides; i += perRecord {
		var text bytes.Buffer
		w.Reset("0")
		for j := i; j < i+perRecord; j++ {
			w.Add(strconv.Itoa(j), ride(j))
			text.Write(ride(j))
			text.WriteByte('\n')
		}
		switch i / perRecord % 4 {
		case 0:
			put(w.Append(nil))
		case 1:
			put(text.Bytes())
		case 2:
			put(gzipped(t, text.Bytes()))
		case 3:
			put([]byte("[" + strings.ReplaceAll(strings.TrimSpace(text.String()), "\n", ",") + "]"))
		}
	}
	w.Reset("0")
	w.Add("0", bad)
	w.Add("1", ride(rides))
	put(w.Append(nil))
	if out, err := p.server.Kinesis.PutRecords(t.Context(), in); err != nil || aws.ToInt32(out.FailedRecordCount) > 0 {
		t.Fatal(out, err)
	}
	p.put = len(in.Records)
	p.run()
	copies := p.published()
	for i := range rides + 1 {
		if n := copies[strconv.Itoa(i)]; n != 1 {
			t.Errorf("ride %d is published %d times", i, n)
		}
	}
	if letters := p.letters(100_000); len(letters) != 1 || letters["0"] != 1 {
		t.Errorf("dead letters %v", letters)
	}
}

func gzipped(t *testing.T, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write(data)
	if err = errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
