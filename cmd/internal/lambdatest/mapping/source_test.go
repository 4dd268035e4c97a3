package mapping

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"skiff/cmd/internal/lambdatest"
)

// TestSource checks what ministack never does: pages of shards, expired iterators, ends of shards.
func TestSource(t *testing.T) {
	iterators := 0
	client := lambdatest.StubKinesis(func(in any) (any, error) {
		switch in := in.(type) {
		case *kinesis.ListShardsInput:
			if in.NextToken == nil {
				return &kinesis.ListShardsOutput{NextToken: aws.String("more"), Shards: []types.Shard{{ShardId: aws.String("0")}}}, nil
			}
			return &kinesis.ListShardsOutput{Shards: []types.Shard{{ShardId: aws.String("2"), ParentShardId: aws.String("0"), AdjacentParentShardId: aws.String("1")}}}, nil
		case *kinesis.GetShardIteratorInput:
			iterators++
			return &kinesis.GetShardIteratorOutput{ShardIterator: aws.String(fmt.Sprintf("%s %s", in.ShardIteratorType, aws.ToString(in.StartingSequenceNumber)))}, nil
		case *kinesis.GetRecordsInput:
			switch *in.ShardIterator {
			case "TRIM_HORIZON ":
				return &kinesis.GetRecordsOutput{Records: []types.Record{{SequenceNumber: aws.String("1")}}, NextShardIterator: aws.String("old")}, nil
			case "old":
				return nil, &types.ExpiredIteratorException{}
			case "AFTER_SEQUENCE_NUMBER 1":
				return &kinesis.GetRecordsOutput{Records: []types.Record{{SequenceNumber: aws.String("2")}}}, nil
			}
		}
		return nil, &types.ResourceNotFoundException{}
	})
	source := NewSource(client, "start-ride-events")
	shards, err := source.Shards(t.Context())
	if got := fmt.Sprint(shards); err != nil || got != "[{0 []} {2 [0 1]}]" {
		t.Errorf("shards %s, %v", got, err)
	}
	records, ended, err := source.Read(t.Context(), "0", "", 10)
	if err != nil || ended || len(records) != 1 {
		t.Fatalf("first read: %v %v %v", records, ended, err)
	}
	records, ended, err = source.Read(t.Context(), "0", "1", 10)
	if err != nil || !ended || len(records) != 1 || records[0].SequenceNumber != "2" || iterators != 2 {
		t.Errorf("read with an expired iterator: %v %v %v", records, ended, err)
	}
	if _, _, err := source.Read(t.Context(), "0", "9", 10); err == nil {
		t.Error("a shard that has vanished can be read")
	}
}
