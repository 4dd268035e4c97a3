package sink

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"github.com/skiff-ml/skiff/inference"
)

type putterFunc func(context.Context, *kinesis.PutRecordsInput) (*kinesis.PutRecordsOutput, error)

func (f putterFunc) PutRecords(ctx context.Context, in *kinesis.PutRecordsInput, _ ...func(*kinesis.Options)) (*kinesis.PutRecordsOutput, error) {
	return f(ctx, in)
}

var messages = []inference.Message{{Key: "a", Data: []byte("1")}, {Key: "b", Data: []byte("2")}, {Key: "c", Data: []byte("3")}}

func testStream(p putter) *Kinesis {
	return newKinesis(Stream{name: "predictions"}, p, "PREDICTIONS_STREAM_NAME")
}

func TestPutSaysWhatFailed(t *testing.T) {
	s := testStream(putterFunc(func(_ context.Context, in *kinesis.PutRecordsInput) (*kinesis.PutRecordsOutput, error) {
		if *in.StreamName != "predictions" || len(in.Records) != 3 || *in.Records[1].PartitionKey != "b" || string(in.Records[2].Data) != "3" {
			t.Errorf("put %v", in)
		}
		return &kinesis.PutRecordsOutput{FailedRecordCount: aws.Int32(2), Records: []types.PutRecordsResultEntry{
			{ErrorCode: aws.String("ProvisionedThroughputExceededException")}, {SequenceNumber: aws.String("1")}, {ErrorCode: aws.String("InternalFailure")},
		}}, nil
	}))
	failed, err := s.Put(context.Background(), messages)
	const want = "putting records to predictions: 2 of 3 were not taken: ProvisionedThroughputExceededException, InternalFailure"
	if err == nil || err.Error() != want || errors.Is(err, inference.ErrPermanent) || !slices.Equal(failed, []int{0, 2}) {
		t.Errorf("got %v, %v", failed, err)
	}
}

// A record's own answer counts, whatever the sum says.
func TestPutBelievesTheRecords(t *testing.T) {
	for _, count := range []*int32{nil, aws.Int32(0), aws.Int32(1)} {
		s := testStream(putterFunc(func(context.Context, *kinesis.PutRecordsInput) (*kinesis.PutRecordsOutput, error) {
			return &kinesis.PutRecordsOutput{FailedRecordCount: count, Records: []types.PutRecordsResultEntry{{}, {ErrorCode: aws.String("InternalFailure")}, {}}}, nil
		}))
		if failed, err := s.Put(context.Background(), messages); err == nil || !slices.Equal(failed, []int{1}) {
			t.Errorf("got %v, %v", failed, err)
		}
	}
	s := testStream(putterFunc(func(context.Context, *kinesis.PutRecordsInput) (*kinesis.PutRecordsOutput, error) {
		return &kinesis.PutRecordsOutput{}, nil
	}))
	if failed, err := s.Put(context.Background(), messages); err == nil || failed != nil {
		t.Errorf("no answer: got %v, %v", failed, err)
	}
}

func TestPutRefusesAnAnswerToOtherRecords(t *testing.T) {
	bad, good := types.PutRecordsResultEntry{ErrorCode: aws.String("InternalFailure")}, types.PutRecordsResultEntry{}
	for name, answers := range map[string][]types.PutRecordsResultEntry{
		"none":                nil,
		"two to three":        {bad, good},
		"no error among them": {good, good, good},
	} {
		t.Run(name, func(t *testing.T) {
			s := testStream(putterFunc(func(context.Context, *kinesis.PutRecordsInput) (*kinesis.PutRecordsOutput, error) {
				return &kinesis.PutRecordsOutput{FailedRecordCount: aws.Int32(1), Records: answers}, nil
			}))
			if failed, err := s.Put(context.Background(), messages); err == nil || failed != nil {
				t.Errorf("got %v, %v", failed, err)
			}
		})
	}
}
