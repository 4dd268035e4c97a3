package main

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// From a dead letter its trace can be found, and from the trace the dead letter:
// the letter has the trace's id, as the log has, and the invocation's span has
// what the letter is called.
func TestTraceOfADeadLetter(t *testing.T) {
	var mu sync.Mutex
	var letter struct {
		TraceID  string `json:"trace_id"`
		Sequence string `json:"sequence_number"`
		Reason   string `json:"reason"`
	}
	kinesis := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var put struct {
			StreamName string
			Records    []struct{ Data string }
		}
		if err := json.NewDecoder(r.Body).Decode(&put); err != nil {
			t.Error(err)
		}
		if put.StreamName == "letters" {
			data, err := base64.StdEncoding.DecodeString(put.Records[0].Data)
			mu.Lock()
			defer mu.Unlock()
			if err != nil || json.Unmarshal(data, &letter) != nil {
				t.Errorf("the letter is %s", data)
			}
		}
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		taken := strings.Repeat(`,{"SequenceNumber":"1","ShardId":"shardId-000000000000"}`, len(put.Records))
		_, _ = io.WriteString(w, `{"FailedRecordCount":0,"Records":[`+taken[1:]+`]}`)
	}))
	defer kinesis.Close()
	var traces tracepb.TracesData
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		if err != nil || proto.Unmarshal(body, &traces) != nil {
			t.Error("that are no traces")
		}
	}))
	defer collector.Close()

	for _, c := range []struct{ variable, sampled string }{
		{"OTEL_EXPORTER_OTLP_ENDPOINT=" + collector.URL, "OTEL_TRACES_SAMPLER=always_on"},
		{"OTEL_EXPORTER_OTLP_ENDPOINT=" + collector.URL, "OTEL_TRACES_SAMPLER=always_off"},
		{"OTEL_EXPORTER_OTLP_ENDPOINT=", "OTEL_TRACES_SAMPLER=always_on"},
	} {
		letter.TraceID, traces.ResourceSpans = "", nil
		cmd := workerCommand(t, "-event", "-")
		cmd.Stdin = strings.NewReader(threeRides())
		cmd.Env = append(cmd.Env, "KINESIS_ENDPOINT_URL="+kinesis.URL, "DEAD_LETTER=kinesis://letters", "AWS_LAMBDA_FUNCTION_NAME=rides", c.variable, c.sampled)
		w := startWorker(t, cmd)
		w.end(t, 0)
		if c.variable == "OTEL_EXPORTER_OTLP_ENDPOINT=" || c.sampled == "OTEL_TRACES_SAMPLER=always_off" {
			if letter.TraceID != "" || traces.ResourceSpans != nil || strings.Contains(w.stderr.String(), "trace_id") {
				t.Errorf("%v: there is a trace: %s", c, &w.stderr)
			}
			continue
		}
		if len(letter.TraceID) != 32 || !strings.Contains(w.stderr.String(), `"trace_id":"`+letter.TraceID+`"`) {
			t.Errorf("the letter's trace is %q, the log %s", letter.TraceID, &w.stderr)
		}
		if traces.ResourceSpans == nil {
			t.Fatal("there is no trace")
		}
		spans := traces.ResourceSpans[0].GetScopeSpans()[0].GetSpans()
		names := map[string]*tracepb.Span{}
		for _, s := range spans {
			names[s.GetName()] = s
			if got := s.GetTraceId(); hex.EncodeToString(got) != letter.TraceID {
				t.Errorf("%s is in the trace %x", s.GetName(), got)
			}
			if took := s.GetEndTimeUnixNano() - s.GetStartTimeUnixNano(); int64(took) <= 0 {
				t.Errorf("%s took %d ns", s.GetName(), took)
			}
		}
		for _, name := range []string{"rides", "decode", "encode", "score", "respond", "publish"} {
			if names[name] == nil {
				t.Fatalf("there is no span %s", name)
			}
		}
		events := names["rides"].GetEvents()
		if len(events) != 1 || !strings.Contains(events[0].String(), `"`+letter.Sequence+`"`) || !strings.Contains(events[0].String(), letter.Reason) {
			t.Errorf("the letter is %+v, the span has %v", letter, events)
		}
	}
}
