package sink

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"skiff/inference"
	"skiff/inference/hint"
	"skiff/inference/internal/awserr"
	"skiff/inference/limits"
)

// putTimeout bounds one request: a connection that hangs leaves time to try
// another inside an invocation of 15 seconds.
const putTimeout = 5 * time.Second

// putter is what a Kinesis needs of Kinesis.
type putter interface {
	PutRecords(ctx context.Context, in *kinesis.PutRecordsInput, opts ...func(*kinesis.Options)) (*kinesis.PutRecordsOutput, error)
}

// A Kinesis is a data stream.
type Kinesis struct {
	name    string
	kinesis putter
}

var _ inference.Sink = (*Kinesis)(nil)

// KinesisLimits are what a stream takes. Four requests at once: a shard takes
// 1 MiB a second, so more would only be throttled.
func KinesisLimits() inference.Limits {
	return inference.Limits{Messages: limits.PutRecords, Bytes: limits.PutBytes, MessageBytes: limits.RecordBytes, Calls: 4}
}

// NewKinesis returns the stream of that name. An empty endpoint means AWS's own, or
// what the SDK's variables say. Nothing is sent before the first Put.
func NewKinesis(cfg aws.Config, name, endpoint string) *Kinesis {
	kinesis := kinesis.NewFromConfig(cfg, func(o *kinesis.Options) {
		if endpoint != "" {
			o.BaseEndpoint = &endpoint
		}
		o.HTTPClient = client{o.HTTPClient}
		o.Retryer = aws.NopRetryer{} // the inference package tries again, with the deadline in view
	})
	return &Kinesis{name, kinesis}
}

// Put implements [inference.Sink] with one PutRecords request.
func (s *Kinesis) Put(ctx context.Context, messages []inference.Message) ([]int, error) {
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
	return s.check(out, len(messages))
}

// check returns the indexes of the records that were not taken, and why. Each
// record's own answer counts: one without an answer was not taken.
func (s *Kinesis) check(out *kinesis.PutRecordsOutput, records int) ([]int, error) {
	var failed []int
	var codes []string // each once
	for i := range out.Records {
		if code := aws.ToString(out.Records[i].ErrorCode); code != "" {
			failed = append(failed, i)
			if !slices.Contains(codes, code) {
				codes = append(codes, code)
			}
		}
	}
	count := int(aws.ToInt32(out.FailedRecordCount))
	switch {
	case len(out.Records) != records || count > len(failed):
		return nil, fmt.Errorf("putting records to %s: %d records were put and %d answered, %d failed and %d say so",
			s.name, records, len(out.Records), count, len(failed))
	case len(failed) > 0:
		return failed, fmt.Errorf("putting records to %s: %d of %d were not taken: %s", s.name, len(failed), records, strings.Join(codes, ", "))
	}
	return nil, nil
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
	"ExpiredTokenException",
	"IncompleteSignature",
	"InvalidClientTokenId",
	"SerializationException",
	"UnknownOperationException",
	"UnrecognizedClientException",
	"InvalidSignatureException",
	"MissingAuthenticationTokenException",
}

// explain says what was tried, and marks an error that only a person can mend.
func (s *Kinesis) explain(err error) error {
	err = fmt.Errorf("putting records to %s: %w", s.name, awserr.Shorten(err))
	if slices.Contains(permanent, awserr.Code(err)) {
		return hint.With(fmt.Errorf("%w (%w)", err, inference.ErrPermanent),
			"check PREDICTIONS_STREAM_NAME, the region, and that the role may kinesis:PutRecords to it")
	}
	return err
}
