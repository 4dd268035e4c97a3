package mapping

import (
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"github.com/skiff-ml/skiff/cmd/internal/lambdatest"
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

// "StartingPosition: the position in a stream from which to start reading", and of resharding: "Lambda processes the parent shards first, then the
// child shards", from their beginning, or records would be left out.
func TestStartingPositions(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, tt := range []struct {
		start Start
		want  string // iterators of a shard that was there, of that when it has expired, and of a child
	}{
		{Start{}, "TRIM_HORIZON TRIM_HORIZON TRIM_HORIZON"},
		{Start{Position: types.ShardIteratorTypeTrimHorizon}, "TRIM_HORIZON TRIM_HORIZON TRIM_HORIZON"},
		{Start{Position: types.ShardIteratorTypeLatest}, "LATEST AT_TIMESTAMP TRIM_HORIZON"}, // what has come since is not left out
		{Start{Position: types.ShardIteratorTypeAtTimestamp, At: at}, "AT_TIMESTAMP 2026-01-02 AT_TIMESTAMP 2026-01-02 TRIM_HORIZON"},
	} {
		shards := []types.Shard{{ShardId: aws.String("0")}}
		expired, got := 0, ""
		client := lambdatest.StubKinesis(func(in any) (any, error) {
			switch in := in.(type) {
			case *kinesis.ListShardsInput:
				return &kinesis.ListShardsOutput{Shards: shards}, nil
			case *kinesis.GetShardIteratorInput:
				got += " " + string(in.ShardIteratorType)
				if in.Timestamp != nil && in.Timestamp.Equal(at) {
					got += " " + in.Timestamp.Format(time.DateOnly)
				}
				return &kinesis.GetShardIteratorOutput{ShardIterator: aws.String("it")}, nil
			}
			if expired++; expired == 2 {
				return nil, &types.ExpiredIteratorException{}
			}
			return &kinesis.GetRecordsOutput{NextShardIterator: aws.String("it")}, nil
		})
		source := NewSourceFrom(client, "start-ride-events", tt.start)
		read := func(shard string) {
			if _, err := source.Shards(t.Context()); err != nil {
				t.Fatal(err)
			}
			if _, _, err := source.Read(t.Context(), shard, "", 1); err != nil {
				t.Fatal(err)
			}
		}
		read("0")
		read("0")
		shards = append(shards, types.Shard{ShardId: aws.String("1"), ParentShardId: aws.String("0")})
		read("1")
		if got[1:] != tt.want {
			t.Errorf("%v: %s, want %s", tt.start, got[1:], tt.want)
		}
	}
}
