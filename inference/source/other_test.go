package source

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/skiff-ml/skiff/inference"
	"github.com/skiff-ml/skiff/inference/internal/fixture"
	"github.com/skiff-ml/skiff/inference/jsonscan"
	"github.com/skiff-ml/skiff/inference/limits"
)

// message returns a queue's message, as the Lambda Developer Guide shows it.
func message(t *testing.T, id, group, body string) string {
	t.Helper()
	quoted, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	if group != "" {
		group = fmt.Sprintf(`, "MessageGroupId": %q, "SequenceNumber": "18849496460467696128"`, group)
	}
	return fmt.Sprintf(`{"messageId": %q, "receiptHandle": "AQEB", "body": %s, "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": "1764000000123"%s},
		"messageAttributes": {}, "md5OfBody": "0", "eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:rides", "awsRegion": "us-east-1"}`,
		id, quoted, group)
}

// pipedRecord returns a stream's record as Pipes has it, as the EventBridge User Guide
// shows it.
func pipedRecord(n int, data string) string {
	return fmt.Sprintf(`{"kinesisSchemaVersion": "1.0", "partitionKey": "key%d", "sequenceNumber": "%d", "data": %q, "approximateArrivalTimestamp": 1764000000.123,
		"eventSource": "aws:kinesis", "eventVersion": "1.0", "eventID": "shardId-0:%d", "eventName": "aws:kinesis:record", "awsRegion": "us-east-1"}`,
		n, n, base64.StdEncoding.EncodeToString([]byte(data)), n)
}

// A queue's messages, and what Pipes sends, have outcomes as a stream's records
// have, and are reported as who sends them reads it.
func TestOtherSources(t *testing.T) {
	several := fixture.Ride("2", "1") + "\n" + fixture.Ride("3", "1")
	for name, test := range map[string]struct {
		event    string
		ids      string
		failures string
		letter   string
	}{
		"a queue": {
			`{"Records": [` + message(t, "a", "", fixture.Ride("1", "1")) + `,` + message(t, "b", "", "bad") + `,` + message(t, "c", "", several) + `]}`,
			"1 2 3", "", `b b 2025-11-24T16:00:00.123Z bad`,
		},
		"a FIFO queue": {`{"Records": [` + message(t, "b", "g", "bad") + `]}`, "", "", `b g 2025-11-24T16:00:00.123Z bad`},
		"without a body": {
			`{"Records": [{"messageId": "b", "eventSource": "aws:sqs"}]}`, "", "", "b b  ",
		},
		"Pipes of a stream": {
			`[` + pipedRecord(1, fixture.Ride("1", "1")) + `,` + pipedRecord(2, "bad") + `,` + pipedRecord(3, several) + `]`,
			"1 2 3", "", "2 key2 2025-11-24T16:00:00.123Z bad",
		},
		"Pipes of a queue": {
			`[` + message(t, "a", "", fixture.Ride("1", "1")) + `,` + message(t, "b", "", "bad") + `]`, "1", "", "b b 2025-11-24T16:00:00.123Z bad",
		},
	} {
		stream, dead := &takes{}, &takes{}
		k, _ := newSourceWith(stream, dead)
		r := invoke(t, k, []byte(test.event))
		if r.ids() != test.ids || r.failures() != test.failures || stream.taken() != len(r.Predictions) {
			t.Errorf("%s: got %s, failures %q, published %d", name, r.ids(), r.failures(), stream.taken())
		}
		var l inference.DeadLetter
		if err := json.Unmarshal(dead.messages[0].Data, &l); err != nil {
			t.Fatal(err)
		}
		if letter := fmt.Sprintf("%s %s %s %s", l.SequenceNumber, l.PartitionKey, l.Arrived, l.Data); letter != test.letter {
			t.Errorf("%s: the letter is %s", name, letter)
		}
	}
}

// What is not dealt with is reported by the id that who invokes knows it by: of
// a queue only that, of a stream's records in Pipes by event ids.
func TestOtherSourcesReport(t *testing.T) {
	for name, test := range map[string]struct{ event, failures, repeats string }{
		"a queue": {
			`{"Records": [` + message(t, "a", "", fixture.Ride("1", "1")) + `,` + message(t, "b", "", fixture.Ride("2", "1")) + `,` + message(t, "c", "", fixture.Ride("3", "1")+fixture.Ride("2", "1")) + `,` + message(t, "d", "", fixture.Ride("4", "1")) + `]}`,
			"b c", `"repeats":1,`,
		},
		"Pipes of a stream": {
			`[` + pipedRecord(1, fixture.Ride("1", "1")) + `,` + pipedRecord(2, fixture.Ride("2", "1")) + `,` + pipedRecord(3, fixture.Ride("3", "1")) + `]`,
			"shardId-0:2", `"repeats":1,`,
		},
		"Pipes of a queue": {`[` + message(t, "b", "", fixture.Ride("2", "1")) + `]`, "b", `"repeats":0,`},
	} {
		synctest.Test(t, func(t *testing.T) {
			k, log := newSource(sinkFunc(func(_ context.Context, messages []inference.Message) ([]int, error) {
				var failed []int
				for i, m := range messages {
					if m.Key == "2" {
						failed = append(failed, i)
					}
				}
				if failed == nil {
					return nil, nil
				}
				return failed, errBusy
			}))
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			raw, err := k.Invoke(ctx, []byte(test.event))
			var r response
			if e := json.Unmarshal(raw, &r); e != nil || err != nil || r.failures() != test.failures || !strings.Contains(log.String(), test.repeats) {
				t.Errorf("%s: got %s, %v, logged %s", name, raw, err, log)
			}
			k.Reported = false
			if _, err := k.Invoke(ctx, []byte(test.event)); err == nil {
				t.Errorf("%s: nobody reads that, and it is a success", name)
			}
		})
	}
}

// Whoever asks for predictions gets them, and nobody else does.
func TestDirect(t *testing.T) {
	for payload, want := range map[string]string{
		string(readCase(t, "05-other-events/bare.json")): `{"predictions":[P1]}`,
		" " + fixture.Ride("1", "3.66"):                  `{"predictions":[P1]}`,
		"[" + fixture.Ride("1", "3.66") + "]":            `{"predictions":[P1]}`,
		"[" + fixture.Ride("1", "3.66") + "," + fixture.Ride("2", `"x"`) + ",7," + fixture.Ride("4", "3.66") + "]": `{"predictions":[P1,P4],"rejected":[` +
			`{"index":1,"reason":"wrong_type","field":"ride.trip_distance","expected":"a number","found":"text"},{"index":2,"reason":"wrong_type","expected":"an object","found":"an integer"}]}`,
	} {
		for _, id := range []string{"1", "4"} {
			want = strings.ReplaceAll(want, "P"+id, `{"model":"ride_duration_prediction_model","version":"run1","prediction":{"ride_duration":103.66,"ride_id":`+id+`}}`)
		}
		stream, dead := &takes{}, &takes{}
		k, log := newSourceWith(stream, dead)
		k.Reported = false
		if got, err := k.Invoke(t.Context(), []byte(payload)); err != nil || string(got) != want {
			t.Errorf("%s: got %s, %v", payload, got, err)
		}
		if stream.taken()+dead.taken() > 0 || !strings.Contains(log.String(), `"msg":"invocation"`) || !strings.Contains(log.String(), `"repeats":0,`) {
			t.Errorf("%s: published %d, dead letters %d, logged %s", payload, stream.taken(), dead.taken(), log)
		}

		// over HTTP the same
		for _, request := range []string{
			`{"version": "2.0", "requestContext": {"http": {"method": "POST"}}, "body": ` + jsonscan.Quote(payload) + `}`,
			`{"resource": "/", "httpMethod": "POST", "requestContext": {"httpMethod": "POST"}, "isBase64Encoded": true, "body": "` + base64.StdEncoding.EncodeToString([]byte(payload)) + `"}`,
		} {
			got, err := k.Invoke(t.Context(), []byte(request))
			if err != nil || string(got) != `{"statusCode":200,"headers":{"Content-Type":"application/json"},"body":`+jsonscan.Quote(want)+`}` {
				t.Errorf("%s: got %s, %v", request, got, err)
			}
		}
		if stream.taken()+dead.taken() > 0 {
			t.Errorf("%s: published %d, dead letters %d", payload, stream.taken(), dead.taken())
		}
	}
}

func TestRequestsThatAreRefused(t *testing.T) {
	id := `"` + strings.Repeat("i", limits.Response/4) + `"`
	long := "[" + strings.TrimSuffix(strings.Repeat(fixture.Ride(id, "1")+",", 5), ",") + "]"
	for name, test := range map[string]struct{ request, status, body string }{
		"another method": {`{"requestContext": {"http": {"method": "GET"}}}`, "405", "it takes POST"},
		"no body":        {`{"requestContext": {"http": {"method": "POST"}}}`, "400", "it is empty"},
		"no document":    {`{"httpMethod": "POST", "body": "{}"}`, "400", "missing_field"},
		"none of them":   {`{"httpMethod": "POST", "body": "[{}, 1]"}`, "400", `\"index\":1`},
		"no base64":      {`{"httpMethod": "POST", "body": "?", "isBase64Encoded": true}`, "400", "not_json"},
		"too many":       {`{"httpMethod": "POST", "body": "[` + strings.Repeat("1,", maxItems) + `1]"}`, "413", "ask for fewer"},
	} {
		k, _ := newSource(&takes{})
		got, err := k.Invoke(t.Context(), []byte(test.request))
		if err != nil || !strings.HasPrefix(string(got), `{"statusCode":`+test.status+`,`) || !strings.Contains(string(got), test.body) {
			t.Errorf("%s: got %.300s, %v", name, got, err)
		}
	}
	k, log := newSource(&takes{})
	if got, err := k.Invoke(t.Context(), []byte(long)); !errors.Is(err, errLong) || got != nil || !strings.Contains(log.String(), "invocation failed") {
		t.Errorf("got %.300s, %v", got, err)
	}
	rescore(t, k, failing{errBusy})
	if got, err := k.Invoke(t.Context(), []byte(`{"httpMethod": "POST", "body": `+jsonscan.Quote(fixture.Ride("1", "1"))+`}`)); !errors.Is(err, errBusy) || got != nil {
		t.Errorf("got %.300s, %v", got, err)
	}
}
