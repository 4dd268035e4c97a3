package mapping

import (
	"context"
	"fmt"
	"time"

	"github.com/skiff-ml/skiff/cmd/internal/lambdatest"
)

// Why records are given up, in AWS's words.
const (
	retryAttemptsExhausted = "RetryAttemptsExhausted"
	recordAgeExceeded      = "RecordAgeExceeded"
)

// millis is how on-failure documents write times: UTC, to the millisecond.
const millis = "2006-01-02T15:04:05.000Z"

// Discarded is records given up: the document AWS sends to an on-failure destination, and the records themselves. Payload, the whole event, is
// what only an S3 destination gets.
type Discarded struct {
	RequestContext   RequestContext   `json:"requestContext"`
	ResponseContext  *ResponseContext `json:"responseContext,omitempty"` // nil when there was no invocation
	Version          string           `json:"version"`
	Timestamp        string           `json:"timestamp"`
	KinesisBatchInfo KinesisBatchInfo `json:"KinesisBatchInfo"`
	Payload          string           `json:"payload"`

	Records []Record `json:"-"`
	Why     string   `json:"-"` // the last invocation's own words; AWS's document has none, and one looks for them in the function's log
}

// RequestContext is about the last invocation with the discarded records.
type RequestContext struct {
	RequestID              string `json:"requestId"`
	FunctionARN            string `json:"functionArn"`
	Condition              string `json:"condition"`
	ApproximateInvokeCount int    `json:"approximateInvokeCount"`
}

// ResponseContext is about the function's last answer.
type ResponseContext struct {
	StatusCode      int    `json:"statusCode"`
	ExecutedVersion string `json:"executedVersion"`
	FunctionError   string `json:"functionError,omitempty"`
}

// KinesisBatchInfo says where in the stream the discarded records are.
type KinesisBatchInfo struct {
	ShardID                         string `json:"shardId"`
	StartSequenceNumber             string `json:"startSequenceNumber"`
	EndSequenceNumber               string `json:"endSequenceNumber"`
	ApproximateArrivalOfFirstRecord string `json:"approximateArrivalOfFirstRecord"`
	ApproximateArrivalOfLastRecord  string `json:"approximateArrivalOfLastRecord"`
	BatchSize                       int    `json:"batchSize"` // records
	StreamARN                       string `json:"streamArn"`
}

// why is what the last invocation with b said of its failure.
func (b batch) why(condition string) string {
	switch {
	case b.invocations == 0 && condition == recordAgeExceeded:
		return "it was too old before it was delivered"
	case b.invocations == 0:
		return "it is too large for an event"
	case b.last.FunctionError != "":
		return b.last.message()
	}
	return "the function reported it as a batch item failure"
}

// discard gives b up.
func (m *Mapping) discard(ctx context.Context, b batch, condition string) error {
	first, last := b.entries[0], b.entries[len(b.entries)-1]
	d := Discarded{
		RequestContext: RequestContext{
			RequestID: b.last.RequestID, FunctionARN: m.config.FunctionARN,
			Condition: condition, ApproximateInvokeCount: b.invocations,
		},
		Version:   "1.0",
		Timestamp: time.Now().UTC().Format(millis),
		KinesisBatchInfo: KinesisBatchInfo{
			ShardID: b.shard, StreamARN: m.config.EventSourceARN, BatchSize: len(b.entries),
			StartSequenceNumber: first.SequenceNumber, EndSequenceNumber: last.SequenceNumber,
			ApproximateArrivalOfFirstRecord: first.Arrived.UTC().Format(millis),
			ApproximateArrivalOfLastRecord:  last.Arrived.UTC().Format(millis),
		},
		Payload: string(lambdatest.Event(b.entries)),
		Why:     b.why(condition),
	}
	if b.invocations > 0 {
		d.ResponseContext = &ResponseContext{StatusCode: 200, ExecutedVersion: "$LATEST", FunctionError: b.last.FunctionError}
	}
	for _, e := range b.entries {
		d.Records = append(d.Records, e.Record)
	}
	if err := m.onFailure.Discard(ctx, d); err != nil {
		return fmt.Errorf("discarding %d records of %s from %s on: %w", len(b.entries), b.shard, first.SequenceNumber, err)
	}
	m.log.Warn("records discarded", "condition", condition, "shard", b.shard, "sequence_number", first.SequenceNumber, "records", len(b.entries),
		"invocations", b.invocations, "why", d.Why)
	m.count(0, 0, len(b.entries))
	return nil
}
