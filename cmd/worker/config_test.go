package main

import (
	"strings"
	"testing"

	"github.com/skiff-ml/skiff/inference/hint"
)

const someRun = "0123456789abcdef0123456789abcdef"

func environment(with ...string) func(string) string {
	return func(name string) string {
		for i := 0; i < len(with); i += 2 {
			if with[i] == name {
				return with[i+1]
			}
		}
		if name == "RUN_ID" {
			return someRun
		}
		return ""
	}
}

// What is written wrong is known at the start, in one line with a hint that
// begin with the variable.
func TestWhereThingsAreIsChecked(t *testing.T) {
	for _, test := range []struct{ variable, value string }{
		{"PREDICTIONS_STREAM_NAME", `"ride_predictions"`},
		{"PREDICTIONS_STREAM_NAME", "ride predictions"},
		{"PREDICTIONS_STREAM_NAME", "kinesis://ride_predictions"},
		{"PREDICTIONS_STREAM_NAME", "arn:aws:kinesis:us-east-1:123456789012:ride_predictions"},
		{"PREDICTIONS_STREAM_NAME", "arn:aws:sqs:us-east-1:123456789012:ride_predictions"},
		{"MODEL_BUCKET", "s3://models"},
		{"MODEL_BUCKET", "models/"},
		{"MODEL_BUCKET", "Models"},
		{"MODEL_BUCKET", `"models"`},
		{"MODEL_LOCATION", "s3:/models/prefix"},
		{"MODEL_LOCATION", "s3://s3://models"},
		{"KINESIS_ENDPOINT_URL", "localhost:4566"},
		{"KINESIS_ENDPOINT_URL", "localhost"},
		{"KINESIS_ENDPOINT_URL", "https://"},
		{"KINESIS_ENDPOINT_URL", "http://:4566"},
		{"S3_ENDPOINT_URL", `"http://localhost:4566"`},
		{"S3_ENDPOINT_URL", "'http://localhost:4566'"},
		{"S3_ENDPOINT_URL", "http://localhost:4566 "},
		{"SQS_ENDPOINT_URL", "tcp://localhost:4566"},
		{"AWS_ENDPOINT_URL", "localhost:4566"},
		{"AWS_ENDPOINT_URL_KINESIS", "localhost:4566"},
		{"AWS_ENDPOINT_URL_S3", "http://local host"},
		{"AWS_ENDPOINT_URL_SQS", "http://localhost/'"},
		{"RECORD_UNPACK", "none"},
		{"RECORD_UNPACK", "kpl;gzip"},
		{"ORDERED", "True"},
		{"OUTPUT_AGGREGATION", "zip"},
		{"OUTPUT_AGGREGATION", "kpl:"},
		{"OUTPUT_AGGREGATION", "kpl:3"},
		{"OUTPUT_AGGREGATION", "kpl:512"},
		{"OUTPUT_AGGREGATION", ":8"},
		{"CANARY", someRun},
		{"CANARY", someRun + ":"},
		{"CANARY", someRun + ":101"},
		{"CANARY", someRun + ":NaN"},
		{"CANARY", someRun + ":-1"},
		{"DEAD_LETTER", "letters"},
		{"DEAD_LETTER", "sns://letters"},
		{"DEAD_LETTER", "kinesis://"},
		{"DEAD_LETTER", "kinesis://a/b"},
		{"DEAD_LETTER", "kinesis://ride_predictions"},
		{"DEAD_LETTER", "sqs://"},
		{"DEAD_LETTER", "sqs://a b"},
		{"DEAD_LETTER", "sqs://arn:aws:sqs:us-east-1:letters"},
		{"DEAD_LETTER", "sqs:letters"},
		{"DEAD_LETTER", "s3://"},
		{"DEAD_LETTER", "s3://Letters/prefix"},
		{"DEAD_LETTER", "https://sqs.us-east-1.amazonaws.com/123456789012/letters"},
	} {
		_, err := readConfig(environment(test.variable, test.value))
		if err == nil || !strings.HasPrefix(err.Error(), test.variable+": ") || strings.Contains(err.Error(), "\n") || hint.Of(err) == "" {
			t.Errorf("%s=%s: %v, hint %q", test.variable, test.value, err, hint.Of(err))
		}
	}
}

func TestWhereThingsAre(t *testing.T) {
	for _, place := range []string{
		"kinesis://letters", "kinesis://arn:aws:kinesis:eu-west-1:123456789012:stream/ride_predictions",
		"sqs://letters", "sqs://letters.fifo", "sqs://arn:aws:sqs:eu-west-1:123456789012:letters", "sqs://https://sqs.eu-west-1.amazonaws.com/123456789012/letters",
		"sqs://http://localhost:4566/000000000000/letters", "s3://letters", "s3://letters/some/prefix/",
	} {
		c, err := readConfig(environment("DEAD_LETTER", place))
		if err != nil || c.deadLetter == nil {
			t.Errorf("%s: %v", place, err)
		}
	}
	c, err := readConfig(environment("AWS_ENDPOINT_URL", "https://vpce-1.kinesis.eu-west-1.vpce.amazonaws.com", "MODEL_BUCKET", "models",
		"PREDICTIONS_STREAM_NAME", "arn:aws:kinesis:eu-west-1:123456789012:stream/p", "S3_ENDPOINT_URL", "http://[::1]:4566/"))
	if err != nil || c.deadLetter != nil || c.stream.String() != "arn:aws:kinesis:eu-west-1:123456789012:stream/p" {
		t.Errorf("got %+v, %v", c, err)
	}
}
