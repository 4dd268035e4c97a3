//go:build integration

package failures

import (
	"encoding/json"
	"strings"
	"testing"
)

// Another's event is an error that names it, with a hint; what the worker takes beside a stream's is answered.
func TestForeignEventsAreNamed(t *testing.T) {
	t.Parallel()
	answers(t, []exchange{
		{`{"Records":[{"EventSource":"aws:sns","Sns":{"Message":"{}"}}]}`, "it is one of sns", ""},
		{`{"Records":[{"eventSource":"aws:s3","s3":{}}]}`, "it is one of s3", ""},
		{`{"version":"2.0","requestContext":{},"body":""}`, "it is an HTTP request", ""},
		{`{"detail-type":"Object Created","detail":{}}`, "it is EventBridge's", ""},
		{`{"ride":{}}`, "it has no list of Records", ""},
		{`{"Records":[{"eventSource":"aws:sqs","messageId":"1","body":"{}"}]}`, "", `{"predictions":[]}`}, // a dead letter
		{`{"httpMethod":"GET"}`, "", `{"statusCode":405,"headers":{"Content-Type":"application/json"},"body":"{\"error\":\"it takes POST, with a document to predict for or a list of them\"}"}`},
	})
}

// What holds nothing is answered.
func TestEmptyEventsAreAnswered(t *testing.T) {
	t.Parallel()
	answers(t, []exchange{
		{`{}`, "", `{"predictions":[]}`},
		{`{"Records":[]}`, "", `{"predictions":[]}`},
		{`{"source":"serverless-plugin-warmup"}`, "", `{"predictions":[]}`},
		{`{"source":"aws.events","detail-type":"Scheduled Event","detail":{}}`, "", `{"predictions":[]}`},
	})
}

// A tumbling window's state goes back as it came.
func TestStateGoesBack(t *testing.T) {
	t.Parallel()
	const record = `{"kinesis":{"sequenceNumber":"1","partitionKey":"1","data":"bm8="},"eventID":"shardId-000000000000:1"}`
	answers(t, []exchange{
		{`{"Records":[` + record + `],"window":{"start":"2026-01-02T03:04:00Z"},"state":{"n":[1, 2]}}`, "", `{"predictions":[],"state":{"n":[1, 2]}}`},
		{`{"Records":[],"window":{},"isFinalInvokeForWindow":true}`, "", `{"predictions":[],"state":{}}`},
	})
}

// An exchange is an event, and what the worker's error about it says, or its answer.
type exchange struct{ event, failure, answer string }

func answers(t *testing.T, exchanges []exchange) {
	t.Helper()
	p := newPath(t, options{mapping: deployed(), deadLetters: true, reported: true})
	for _, tt := range exchanges {
		result, err := p.function.Invoke(t.Context(), []byte(tt.event))
		if err != nil {
			t.Fatal(err)
		}
		var document struct{ ErrorType, ErrorMessage string }
		if tt.failure != "" {
			if err := json.Unmarshal(result.Payload, &document); err != nil {
				t.Fatal(err)
			}
		}
		if (result.FunctionError != "") != (tt.failure != "") || !strings.Contains(document.ErrorMessage, tt.failure) ||
			tt.failure != "" && !strings.Contains(document.ErrorMessage, "; hint: ") || tt.answer != "" && string(result.Payload) != tt.answer {
			t.Errorf("%s: %s %s", tt.event, result.FunctionError, result.Payload)
		}
	}
}
