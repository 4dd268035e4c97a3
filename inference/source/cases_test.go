package source

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/skiff-ml/skiff/inference"
	"github.com/skiff-ml/skiff/inference/hint"
	"github.com/skiff-ml/skiff/inference/internal/fixture"
)

// testdata has what people's streams held, re-created small.
func readCase(t *testing.T, name string) []byte {
	t.Helper()
	payload, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return payload
}

// letters returns the dead letters of an event, whose records are not unpacked.
func letters(t *testing.T, payload []byte) []inference.DeadLetter {
	t.Helper()
	dead := &takes{}
	k, _ := newSourceWith(&takes{}, dead)
	k.Reported, k.Unpack = false, 0
	if _, err := k.Invoke(t.Context(), payload); err != nil {
		t.Fatal(err)
	}
	var all []inference.DeadLetter
	for _, m := range dead.messages {
		var l inference.DeadLetter
		if err := json.Unmarshal(m.Data, &l); err != nil {
			t.Fatal(err)
		}
		all = append(all, l)
	}
	return all
}

// A record that is no JSON object says what it is instead, and is dealt with,
// where nothing is unpacked.
func TestWhatRecordsHold(t *testing.T) {
	for name, want := range map[string][]string{
		"00-one/event.json":            nil,
		"01-kpl-aggregated/event.json": {"not_json: it is a KPL aggregate of several records"},
		"02-compressed/event.json": {
			"not_json: it is compressed with gzip", "not_json: it is compressed with zlib", "not_json: it is compressed with gzip",
		},
		"03-many-in-one/event.json": {
			"not_json: it holds 3 JSON documents, not one", "wrong_type: it is a list of 2", "not_json: it holds 2 JSON documents, not one",
		},
		"04-encodings/event.json": {
			"not_json: it is JSON behind a UTF-8 byte order mark", "not_json: it is UTF-16, and JSON is UTF-8",
			"wrong_type: it is JSON in a string: the producer encodes it twice", "not_json: it is JSON in base64: the producer encodes it, and so does Kinesis",
			"not_json: byte 15, 0xe9, is not UTF-8", "not_base64: byte 115 of the event's text is not base64 but base64url", "not_json: it is empty",
		},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, l := range letters(t, readCase(t, name)) {
				got = append(got, fmt.Sprintf("%s: %s", l.Reason, l.Detail))
				if l.SequenceNumber == "" || len(l.Data) != l.Bytes || l.Shard != "shardId-000000000000" {
					t.Errorf("letter %+v", l)
				}
			}
			if strings.Join(got, "\n") != strings.Join(want, "\n") {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		})
	}
}

// An event of another service is an error that names it, and no success.
func TestOtherEvents(t *testing.T) {
	for payload, want := range map[string]string{
		string(readCase(t, "05-other-events/sns.json")):      "it is one of sns",
		string(readCase(t, "05-other-events/firehose.json")): "it is Amazon Data Firehose's",
		string(readCase(t, "05-other-events/kafka.json")):    "it is one of kafka",
		string(readCase(t, "05-other-events/cwlogs.json")):   "it is CloudWatch Logs'",
		`{"rides": [1]}`: "it has no list of Records, and as a document it is rejected: missing_field: ride",
		`[{"rides": 1}]`: "it is a list, as EventBridge Pipes has it, and as a document it is rejected: missing_field: ride",
		`{"Records": [{"eventSource": "aws:s3", "s3": {"bucket": {"name": "b"}}}]}`:    "it is one of s3",
		`{"Records": [{"eventSource": "aws:dynamodb", "dynamodb": {"NewImage": {}}}]}`: "it is one of dynamodb",
		`{"requestContext": {"connectionId": "1"}, "body": "{}"}`:                      "it is an HTTP request",
		`{"source": "aws.s3", "detail-type": "Object Created", "detail": {}}`:          "it is EventBridge's",
		`[{"eventSource": "aws:dynamodb", "dynamodb": {"NewImage": {}}}]`:              "it is a list, as EventBridge Pipes has it",
		string(readCase(t, "07-onfailure-s3/object.json")):                             "it is what a mapping's on-failure destination got",
		`not JSON`: "it has no list of Records",
	} {
		k, log := newSource(&takes{})
		response, err := k.Invoke(t.Context(), []byte(payload))
		if !errors.Is(err, ErrNotKinesis) || !strings.Contains(err.Error(), want) || hint.Of(err) == "" || response != nil {
			t.Errorf("%.60s: got %s, %v; want %s", payload, response, err, want)
		}
		if !strings.Contains(log.String(), `"msg":"invocation failed"`) {
			t.Errorf("logged %s", log)
		}
	}
}

// What keeps a function warm, or comes by the clock, is answered.
func TestPings(t *testing.T) {
	for _, payload := range []string{
		`{}`, ` {} `, `{"warmer": true, "concurrency": 3}`, `{"warmup": true}`,
		string(readCase(t, "05-other-events/warm.json")), string(readCase(t, "05-other-events/schedule.json")), string(readCase(t, "05-other-events/norecords.json")),
		`{"version": "0", "detail-type": "Scheduled Event", "source": "aws.scheduler", "detail": "{}"}`,
	} {
		k, log := newSource(&takes{})
		if response, err := k.Invoke(t.Context(), []byte(payload)); err != nil || string(response) != `{"predictions":[]}` {
			t.Errorf("%s: got %s, %v", payload, response, err)
		}
		if strings.Contains(log.String(), "ERROR") {
			t.Errorf("%s: logged %s", payload, log)
		}
	}
}

// A tumbling window's state goes back, or Lambda takes the invocation for failed.
func TestTumblingWindow(t *testing.T) {
	k, _ := newSource(&takes{})
	for name, want := range map[string]string{
		"06-tumbling/event.json": `"ride_id":1}}],"state":{"count": 12}}`,
		"06-tumbling/final.json": `{"predictions":[],"state":{"count": 12}}`,
	} {
		if response, err := k.Invoke(t.Context(), readCase(t, name)); err != nil || !strings.HasSuffix(string(response), want) {
			t.Errorf("%s: got %s, %v", name, response, err)
		}
	}
	first := strings.Replace(string(fixture.Event("bad")), `{"Records"`, `{"window": {"start": "x"}, "Records"`, 1)
	const want = `{"predictions":[],"batchItemFailures":[{"itemIdentifier":"0"}],"state":{}}`
	if response, err := k.Invoke(t.Context(), []byte(first)); err != nil || string(response) != want {
		t.Errorf("got %s, %v", response, err)
	}
}

// Whoever does not read what is not dealt with gets an error, not a success.
func TestSuccessIsForThoseWhoReadFailures(t *testing.T) {
	for _, test := range []struct {
		reported    bool
		deadLetters inference.Sink
		records     []string
		failures    string
		want        string
	}{
		{true, nil, []string{fixture.Ride("1", "1"), "bad"}, "1", ""},
		{false, nil, []string{fixture.Ride("1", "1"), "bad"}, "1", "1 of 2 records are not dealt with, the first: not_json"},
		{false, nil, []string{fixture.Ride("1", "1")}, "", ""},
		{false, &takes{}, []string{fixture.Ride("1", "1"), "bad"}, "", ""},
		{true, &takes{}, []string{"bad", "bad"}, "", ""},
	} {
		k, log := newSourceWith(&takes{}, test.deadLetters)
		k.Reported = test.reported
		raw, err := k.Invoke(context.Background(), fixture.Event(test.records...))
		var r response
		if e := json.Unmarshal(raw, &r); e != nil || r.failures() != test.failures {
			t.Errorf("%+v: got %s, %v", test, raw, e)
		}
		undealt, ok := errors.AsType[*UndealtError](err)
		if ok != (test.want != "") || ok && undealt.Error() != test.want {
			t.Errorf("%+v: got %v", test, err)
		}
		if ok != strings.Contains(log.String(), `"msg":"invocation failed"`) {
			t.Errorf("%+v: logged %s", test, log)
		}
	}
}
