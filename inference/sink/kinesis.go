package sink

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"

	"github.com/skiff-ml/skiff/inference"
	"github.com/skiff-ml/skiff/inference/internal/awserr"
	"github.com/skiff-ml/skiff/inference/limits"
)

// putter is what a Kinesis needs of Kinesis.
type putter interface {
	PutRecords(ctx context.Context, in *kinesis.PutRecordsInput, opts ...func(*kinesis.Options)) (*kinesis.PutRecordsOutput, error)
}

// A Kinesis is a data stream.
type Kinesis struct {
	stream  Stream
	kinesis putter
	call    awserr.Call

	mu   sync.Mutex
	free []*put // of requests that are over; as many as ever ran side by side
}

var _ inference.Sink = (*Kinesis)(nil)

// KinesisLimits are what a stream takes. Four requests at once: a shard takes
// 1 MiB a second, so more would only be throttled.
func KinesisLimits() inference.Limits {
	return inference.Limits{Messages: limits.PutRecords, Bytes: limits.PutBytes, MessageBytes: limits.RecordBytes, Calls: 4}
}

// NewKinesis returns that stream, which the variable names. An empty endpoint
// means AWS's own, or what the SDK's variables say. Nothing is sent before the
// first Put.
func NewKinesis(cfg aws.Config, stream Stream, endpoint, variable string) *Kinesis {
	service := kinesis.NewFromConfig(cfg, func(o *kinesis.Options) {
		if endpoint != "" {
			o.BaseEndpoint = &endpoint
		}
		if stream.region != "" {
			o.Region = stream.region
		}
		o.HTTPClient = client{o.HTTPClient}
		o.Retryer = awserr.Once{} // the inference package tries again, with the deadline in view
	})
	return newKinesis(stream, service, variable)
}

func newKinesis(stream Stream, kinesis putter, variable string) *Kinesis {
	return &Kinesis{stream: stream, kinesis: kinesis, call: awserr.Call{
		Doing: fmt.Sprintf("putting records to %s", stream), Action: "kinesis:PutRecords", Key: "kms:GenerateDataKey", Variable: variable,
	}}
}

func (s *Kinesis) take() *put {
	s.mu.Lock()
	defer s.mu.Unlock()
	if last := len(s.free) - 1; last >= 0 {
		p := s.free[last]
		s.free = s.free[:last]
		return p
	}
	return &put{}
}

func (s *Kinesis) give(p *put) {
	p.over()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.free = append(s.free, p)
}

// Put implements [inference.Sink] with one PutRecords request.
func (s *Kinesis) Put(ctx context.Context, messages []inference.Message) ([]int, error) {
	p := s.take()
	defer s.give(p)
	in := p.of(messages, &s.stream)
	var out *kinesis.PutRecordsOutput
	_, err := answer(ctx, func(ctx context.Context) (err error) {
		out, err = s.kinesis.PutRecords(ctx, in, p.use)
		return err
	})
	if err != nil {
		return nil, s.call.Explain(err)
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
		return nil, fmt.Errorf("%s: %d records were put and %d answered, %d failed and %d say so",
			s.call.Doing, records, len(out.Records), count, len(failed))
	case len(failed) > 0:
		return failed, s.call.Refused(len(failed), records, codes)
	}
	return nil, nil
}
