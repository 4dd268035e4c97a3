package sink

import (
	"testing"

	"github.com/skiff-ml/skiff/inference/hint"
)

func TestParseStream(t *testing.T) {
	for s, want := range map[string]Stream{
		"ride_predictions": {name: "ride_predictions"},
		"a.b-c":            {name: "a.b-c"},
		"arn:aws:kinesis:us-east-1:123456789012:stream/s":              {"s", "arn:aws:kinesis:us-east-1:123456789012:stream/s", "us-east-1"},
		"arn:aws-cn:kinesis:cn-north-1:123456789012:stream/s":          {"s", "arn:aws-cn:kinesis:cn-north-1:123456789012:stream/s", "cn-north-1"},
		"arn:aws-us-gov:kinesis:us-gov-west-1:123456789012:stream/s_1": {"s_1", "arn:aws-us-gov:kinesis:us-gov-west-1:123456789012:stream/s_1", "us-gov-west-1"},
	} {
		if got, err := ParseStream(s); got != want || err != nil {
			t.Errorf("%s: got %+v, %v", s, got, err)
		}
	}
	for _, s := range []string{
		"", " ", `"predictions"`, "a b", "a/b", "kinesis://a", "predictions\n", "arn:aws:kinesis:us-east-1:123456789012:stream/",
		"arn:aws:kinesis:us-east-1:123456789012:s", "arn:aws:kinesis:us-east-1:12:stream/s", "arn:aws:kinesis::123456789012:stream/s",
		"arn:aws:sqs:us-east-1:123456789012:s", "arn:aws:kinesis:us-east-1:123456789012:stream/s/consumer/c:1", "arn:aws:kinesis",
	} {
		if got, err := ParseStream(s); err == nil || hint.Of(err) == "" {
			t.Errorf("%q: got %+v, %v", s, got, err)
		}
	}
}

func TestParseQueue(t *testing.T) {
	for s, want := range map[string]Queue{
		"letters":      {name: "letters"},
		"letters.fifo": {name: "letters.fifo"},
		"arn:aws:sqs:us-east-1:123456789012:letters": {
			name: "letters", account: "123456789012", region: "us-east-1", url: "https://sqs.us-east-1.amazonaws.com/123456789012/letters",
		},
		"arn:aws-cn:sqs:cn-north-1:123456789012:letters.fifo": {
			name: "letters.fifo", account: "123456789012", region: "cn-north-1", url: "https://sqs.cn-north-1.amazonaws.com.cn/123456789012/letters.fifo",
		},
		"arn:aws-iso:sqs:us-iso-east-1:123456789012:letters": {name: "letters", account: "123456789012", region: "us-iso-east-1"},
		"https://sqs.eu-west-1.amazonaws.com/123456789012/letters": {
			name: "letters", region: "eu-west-1", url: "https://sqs.eu-west-1.amazonaws.com/123456789012/letters", endpoint: "https://sqs.eu-west-1.amazonaws.com",
		},
		"https://vpce-1.sqs.eu-west-1.vpce.amazonaws.com/123456789012/letters": {
			name: "letters", region: "eu-west-1", url: "https://vpce-1.sqs.eu-west-1.vpce.amazonaws.com/123456789012/letters",
			endpoint: "https://vpce-1.sqs.eu-west-1.vpce.amazonaws.com",
		},
		"http://localhost:4566/000000000000/letters": {
			name: "letters", url: "http://localhost:4566/000000000000/letters", endpoint: "http://localhost:4566",
		},
	} {
		if got, err := ParseQueue(s); got != want || err != nil {
			t.Errorf("%s: got %+v, %v", s, got, err)
		}
	}
	for _, s := range []string{
		"", `"letters"`, "a b", "a/b", "a.b", ".fifo", "arn:aws:sqs:us-east-1:123456789012:", "arn:aws:sqs:us-east-1:1:q", "arn:aws:sqs::123456789012:q",
		"arn:aws:kinesis:us-east-1:123456789012:stream/s", "https://sqs.us-east-1.amazonaws.com/letters", "https://sqs.us-east-1.amazonaws.com/123456789012/",
		"ftp://host/123456789012/q", "https:///123456789012/q", "https://host/123456789012/q?a=b",
	} {
		if got, err := ParseQueue(s); err == nil || hint.Of(err) == "" {
			t.Errorf("%q: got %+v, %v", s, got, err)
		}
	}
}
