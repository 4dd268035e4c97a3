package lambdatest_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/skiff-ml/skiff/cmd/internal/lambdatest"
)

func TestEvent(t *testing.T) {
	const arn = "arn:aws:kinesis:us-west-2:000000000000:stream/start-ride-events"
	origin := lambdatest.Origin{StreamARN: arn, RoleARN: "arn:aws:iam::000000000000:role/lambda-kinesis-role"}
	e, err := origin.Entry("shardId-000000000000", lambdatest.Record{
		SequenceNumber: "49641801370286448471783931287578672283018518126072430594", PartitionKey: "1",
		Data: []byte("{}"), Arrived: time.UnixMilli(1687007422736),
	})
	if err != nil {
		t.Fatal(err)
	}
	data := lambdatest.Event([]lambdatest.Entry{e, e})
	if want := lambdatest.EventSize([]lambdatest.Entry{e, e}); len(data) != want {
		t.Errorf("%d bytes, counted as %d", len(data), want)
	}
	var got, want any
	const record = `{
      "kinesis": {
        "kinesisSchemaVersion": "1.0",
        "partitionKey": "1",
        "sequenceNumber": "49641801370286448471783931287578672283018518126072430594",
        "data": "e30=",
        "approximateArrivalTimestamp": 1687007422.736
      },
      "eventSource": "aws:kinesis",
      "eventVersion": "1.0",
      "eventID": "shardId-000000000000:49641801370286448471783931287578672283018518126072430594",
      "eventName": "aws:kinesis:record",
      "invokeIdentityArn": "arn:aws:iam::000000000000:role/lambda-kinesis-role",
      "awsRegion": "us-west-2",
      "eventSourceARN": "arn:aws:kinesis:us-west-2:000000000000:stream/start-ride-events"
    }`
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(`{"Records":[`+record+`,`+record+`]}`), &want); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("event %s", data)
	}
}

func TestEventOf(t *testing.T) {
	data := [][]byte{[]byte(`{"ride_id":10}`), []byte(`{"ride_id":11}`)}
	payload, err := lambdatest.EventOf(data, 10)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.ContainsRune(payload, '\n') {
		t.Error("an event has more than one line")
	}
	var e events.KinesisEvent
	if err := json.Unmarshal(payload, &e); err != nil || len(e.Records) != len(data) {
		t.Fatalf("%d records, %v", len(e.Records), err)
	}
	for i, r := range e.Records {
		if !bytes.Equal(r.Kinesis.Data, data[i]) || r.EventID != "shardId-000000000000:"+r.Kinesis.SequenceNumber {
			t.Errorf("record %d: %+v", i, r)
		}
	}
	again, err := json.Marshal(e)
	if err != nil || !bytes.Equal(again, payload) {
		t.Errorf("the event is\n%s\nand, written by AWS's own library,\n%s", payload, again)
	}
}
