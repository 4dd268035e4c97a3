//go:build integration

package failures

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/skiff-ml/skiff/cmd/internal/lambdatest"
	"github.com/skiff-ml/skiff/cmd/internal/lambdatest/faults"
	"github.com/skiff-ml/skiff/cmd/internal/lambdatest/mapping"
	"github.com/skiff-ml/skiff/inference"
	"github.com/skiff-ml/skiff/inference/limits"
)

// sequence is the sequence number of an event's record.
func sequence(i int) string {
	return fmt.Sprintf("49641801370286448471783931287578672283018518126072%06d", i)
}

// invoke has the worker handle an event of records with this data.
func (p *path) invoke(data ...[]byte) mapping.Result {
	p.t.Helper()
	event, err := lambdatest.EventOf(data, 0)
	check(p.t, err)
	result, err := p.function.Invoke(p.t.Context(), event)
	check(p.t, err)
	return mapping.Result(result)
}

// logged is what the worker has logged.
func (p *path) logged() string {
	p.t.Helper()
	text, err := os.ReadFile(p.log)
	check(p.t, err)
	return string(text)
}

// Every reason that this run can have is logged, and is a dead letter's. It takes any category and reads no text, so that it has no more.
func TestEveryReason(t *testing.T) {
	t.Parallel()
	const spoilt = "not base64: -_-_"
	spoils := []byte("spoilt")
	cases := map[inference.Reason][]byte{
		inference.NotBase64:    spoils,
		inference.NotJSON:      bad,
		inference.MissingField: []byte(`{"ride":{"PULocationID":130,"trip_distance":1.5},"ride_id":1}`),
		inference.WrongType:    []byte(`{"ride":{"PULocationID":130,"DOLocationID":205,"trip_distance":"far"},"ride_id":1}`),
		inference.NotFinite:    []byte(`{"ride":{"PULocationID":130,"DOLocationID":205,"trip_distance":1e999},"ride_id":1}`),
		inference.TooLarge:     []byte(`{"ride":{"PULocationID":130,"DOLocationID":205,"trip_distance":1.5},"ride_id":"` + strings.Repeat("i", limits.RecordBytes) + `"}`),
	}
	reasons := slices.DeleteFunc(inference.Reasons(), func(r inference.Reason) bool { return r == inference.UnknownCategory || r == inference.Unreadable })
	p := newPath(t, options{deadLetters: true, reported: true})
	var data [][]byte
	for _, reason := range reasons {
		data = append(data, cases[reason])
	}
	event, err := lambdatest.EventOf(append(data, ride(7)), 0)
	check(t, err)
	event = bytes.Replace(event, []byte(base64.StdEncoding.EncodeToString(spoils)), []byte(spoilt), 1)
	result, err := p.function.Invoke(t.Context(), event)
	check(t, err)
	if got := failures(result.Payload); result.FunctionError != "" || len(got) > 0 || len(cases) != len(reasons) {
		t.Errorf("%s %v", result.FunctionError, got)
	}
	if published := p.published(); len(published) != 1 || published["7"] != 1 {
		t.Errorf("published are %v", published)
	}
	var lettered []inference.Reason
	check(t, p.server.Objects(t.Context(), letterBucket, p.prefix, func(_ string, lines []byte) error {
		for line := range bytes.Lines(lines) {
			var l inference.DeadLetter
			if err := json.Unmarshal(line, &l); err != nil {
				return err
			}
			lettered = append(lettered, l.Reason)
		}
		return nil
	}))
	if !slices.Equal(lettered, reasons) {
		t.Errorf("dead letters of %v, want %v", lettered, reasons)
	}
	log := p.logged()
	for _, reason := range reasons {
		if !strings.Contains(log, fmt.Sprintf(`"msg":"record rejected","run_id":"%s","reason":"%s"`, filepath.Base(forest(t)), reason)) {
			t.Errorf("%s is not logged", reason)
		}
	}
}

// Without a target a bad record is reported, and comes again with all that is behind it, until it is given up; the good ones before it do not.
func TestComesAgain(t *testing.T) {
	t.Parallel()
	const rides, badIn100k, retries = 200, 1000, 2 // bad are 99 and 199
	p := newPath(t, options{mapping: mapping.Config{BatchSize: rides, MaximumRetryAttempts: retries}, reported: true})
	p.produce(rides, badIn100k)
	p.run()
	copies := p.published()
	first := 0
	for !isBad(first, badIn100k) {
		first++
	}
	for i := range rides {
		want := 1
		if i > first {
			want = retries + 1
		}
		if n := copies[fmt.Sprint(i)]; !isBad(i, badIn100k) && n != want {
			t.Errorf("ride %d is published %d times, and the first bad one is %d", i, n, first)
		}
	}
	if p.progress.Invocations != retries+1 || p.failed != retries+1 || len(p.discarded) == 0 || p.progress.Discarded != rides-first {
		t.Errorf("%+v, %d failed, given up %v", p.progress, p.failed, p.discarded)
	}
}

// Where nobody reads what is reported, it is an error.
func TestUnreported(t *testing.T) {
	t.Parallel()
	p := newPath(t, options{})
	result := p.invoke(ride(1), bad)
	if text := string(result.Payload); result.FunctionError == "" || !strings.Contains(text, "1 of 2 records are not dealt with, the first: not_json") {
		t.Errorf("%q %s", result.FunctionError, text)
	}
}

// What the dead-letter target does not take is reported, as what is unsent is, and is dealt with when the target is back.
func TestDeadLetterTargetFails(t *testing.T) {
	t.Parallel()
	p := newPath(t, options{deadLetters: true, reported: true, timeout: time.Second})
	p.proxy.Set("PutObject", faults.Always(faults.SlowDown()))
	result := p.invoke(ride(0), bad, ride(2))
	if got := failures(result.Payload); result.FunctionError != "" || !slices.Equal(got, []string{sequence(1)}) {
		t.Errorf("%s %s", result.FunctionError, result.Payload)
	}
	if log := p.logged(); !strings.Contains(log, `"unsent":1,`) || !strings.Contains(log, `"error":"dead-lettering: `) {
		t.Error("the log does not say why")
	}
	p.proxy.Set("PutObject", nil)
	if result := p.invoke(ride(0), bad, ride(2)); result.FunctionError != "" || len(failures(result.Payload)) > 0 {
		t.Errorf("%s %s", result.FunctionError, result.Payload)
	}
}

// What the stream will never take fails the invocation, with the service's reason and a hint.
func TestNeverTaken(t *testing.T) {
	for _, tt := range []struct {
		name, reason string
		fault        faults.Fault
		env          []string
	}{
		{"no such stream", "ResourceNotFoundException", nil, []string{"PREDICTIONS_STREAM_NAME=nowhere"}},
		{"no permission", "AccessDeniedException", faults.Denied(), nil},
		{"expired credentials", "ExpiredTokenException", faults.Expired(), nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := newPath(t, options{deadLetters: true, reported: true, env: tt.env})
			if tt.fault != nil {
				p.proxy.Set("PutRecords", faults.Always(tt.fault))
			}
			result := p.invoke(ride(0), ride(1))
			if text := string(result.Payload); result.FunctionError == "" || !strings.Contains(text, tt.reason) || !strings.Contains(text, "; hint: ") {
				t.Errorf("%q %s", result.FunctionError, text)
			}
			if published := p.published(); len(published) > 0 {
				t.Errorf("published are %v", published)
			}
		})
	}
}
