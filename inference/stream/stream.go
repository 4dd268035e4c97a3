// Package stream writes predictions to a Kinesis data stream. It is the only
// package of the worker that knows Kinesis.
package stream

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/aws/smithy-go"

	"skiff/inference"
)

// putTimeout bounds one request: a connection that hangs leaves time to try
// another inside an invocation of 15 seconds.
const putTimeout = 5 * time.Second

// putter is what a Stream needs of Kinesis.
type putter interface {
	PutRecords(ctx context.Context, in *kinesis.PutRecordsInput, opts ...func(*kinesis.Options)) (*kinesis.PutRecordsOutput, error)
}

// A Stream is an output stream.
type Stream struct {
	name    string
	kinesis putter
}

var _ inference.Stream = (*Stream)(nil)

// New returns the stream of that name. An empty endpoint means AWS's own, or
// what the SDK's variables say. Nothing is sent before the first Put.
func New(cfg aws.Config, name, endpoint string) *Stream {
	kinesis := kinesis.NewFromConfig(cfg, func(o *kinesis.Options) {
		if endpoint != "" {
			o.BaseEndpoint = &endpoint
		}
		o.HTTPClient = client{o.HTTPClient}
		o.Retryer = aws.NopRetryer{} // the inference package tries again, with the deadline in view
	})
	return &Stream{name, kinesis}
}

// Put implements [inference.Stream] with one PutRecords request.
func (s *Stream) Put(ctx context.Context, messages []inference.Message) ([]int, error) {
	entries := make([]types.PutRecordsRequestEntry, len(messages))
	for i := range messages {
		entries[i] = types.PutRecordsRequestEntry{Data: messages[i].Data, PartitionKey: &messages[i].Key}
	}
	ctx, cancel := context.WithTimeout(ctx, putTimeout)
	defer cancel()
	out, err := s.kinesis.PutRecords(ctx, &kinesis.PutRecordsInput{StreamName: &s.name, Records: entries})
	if err != nil {
		return nil, s.explain(err)
	}
	if aws.ToInt32(out.FailedRecordCount) == 0 {
		return nil, nil
	}
	if len(out.Records) != len(messages) {
		return nil, fmt.Errorf("putting records to %s: %d answers to %d records", s.name, len(out.Records), len(messages))
	}
	var failed []int
	for i := range out.Records {
		if out.Records[i].ErrorCode != nil {
			failed = append(failed, i)
		}
	}
	return failed, nil
}

// permanent are the errors of PutRecords that only a person can mend; from the
// API's list and from AWS's common errors.
var permanent = []string{ //nolint:gochecknoglobals // a constant list
	"ResourceNotFoundException",
	"AccessDeniedException",
	"AccessDenied",
	"InvalidArgumentException",
	"ValidationException",
	"KMSAccessDeniedException",
	"KMSDisabledException",
	"KMSInvalidStateException",
	"KMSNotFoundException",
	"KMSOptInRequired",
	"UnrecognizedClientException",
	"InvalidSignatureException",
	"MissingAuthenticationTokenException",
}

// explain says what was tried, and marks an error that only a person can mend.
func (s *Stream) explain(err error) error {
	err = fmt.Errorf("putting records to %s: %w", s.name, err)
	if api, ok := errors.AsType[smithy.APIError](err); ok && slices.Contains(permanent, api.ErrorCode()) {
		return inference.WithHint(fmt.Errorf("%w (%w)", err, inference.ErrPermanent),
			"check PREDICTIONS_STREAM_NAME, the region, and that the role may kinesis:PutRecords to it")
	}
	return err
}
