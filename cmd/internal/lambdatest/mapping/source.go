package mapping

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"skiff/inference/limits"
)

// Source reads a Kinesis stream: the Lister and Reader of a mapping. It may be used concurrently, for different shards.
type Source struct {
	client *kinesis.Client
	stream string

	mu        sync.Mutex
	iterators map[string]iterator // by shard
}

var (
	_ Lister = (*Source)(nil)
	_ Reader = (*Source)(nil)
)

// iterator is a shard iterator and the sequence number it stands behind.
type iterator struct{ token, after string }

// NewSource makes a source of a stream, by its name.
func NewSource(client *kinesis.Client, stream string) *Source {
	return &Source{client: client, stream: stream, iterators: map[string]iterator{}}
}

// Shards lists the stream's shards.
func (s *Source) Shards(ctx context.Context) ([]Shard, error) {
	var shards []Shard
	in := &kinesis.ListShardsInput{StreamName: &s.stream}
	for {
		out, err := s.client.ListShards(ctx, in)
		if err != nil {
			return nil, err
		}
		for _, sh := range out.Shards {
			var parents []string
			for _, p := range []*string{sh.ParentShardId, sh.AdjacentParentShardId} {
				if aws.ToString(p) != "" {
					parents = append(parents, *p)
				}
			}
			shards = append(shards, Shard{ID: aws.ToString(sh.ShardId), Parents: parents})
		}
		if out.NextToken == nil {
			return shards, nil
		}
		in = &kinesis.ListShardsInput{NextToken: out.NextToken}
	}
}

// Read is one GetRecords call. The client repeats what is worth repeating, throttling above all; an iterator that has expired is replaced.
func (s *Source) Read(ctx context.Context, shard, after string, limit int) ([]Record, bool, error) {
	token, err := s.iterator(ctx, shard, after)
	if err != nil {
		return nil, false, err
	}
	out, err := s.get(ctx, token, limit)
	if expired := (*types.ExpiredIteratorException)(nil); errors.As(err, &expired) {
		s.keep(shard, iterator{})
		if token, err = s.iterator(ctx, shard, after); err == nil {
			out, err = s.get(ctx, token, limit)
		}
	}
	if err != nil {
		return nil, false, err
	}
	records := make([]Record, 0, len(out.Records))
	for _, r := range out.Records {
		after = aws.ToString(r.SequenceNumber)
		records = append(records, Record{
			SequenceNumber: after, PartitionKey: aws.ToString(r.PartitionKey),
			Data: r.Data, Arrived: aws.ToTime(r.ApproximateArrivalTimestamp),
		})
	}
	s.keep(shard, iterator{aws.ToString(out.NextShardIterator), after})
	return records, out.NextShardIterator == nil, nil
}

func (s *Source) get(ctx context.Context, token string, limit int) (*kinesis.GetRecordsOutput, error) {
	return s.client.GetRecords(ctx, &kinesis.GetRecordsInput{ShardIterator: &token, Limit: aws.Int32(int32(min(limit, limits.GetRecords)))}) //nolint:gosec // within the limit
}

// iterator is the iterator kept for a shard, when it stands behind after, or else a new one.
func (s *Source) iterator(ctx context.Context, shard, after string) (string, error) {
	s.mu.Lock()
	kept := s.iterators[shard]
	s.mu.Unlock()
	if kept.token != "" && kept.after == after {
		return kept.token, nil
	}
	in := &kinesis.GetShardIteratorInput{StreamName: &s.stream, ShardId: &shard, ShardIteratorType: types.ShardIteratorTypeTrimHorizon}
	if after != "" {
		in.ShardIteratorType, in.StartingSequenceNumber = types.ShardIteratorTypeAfterSequenceNumber, &after
	}
	out, err := s.client.GetShardIterator(ctx, in)
	if err != nil {
		return "", fmt.Errorf("getting an iterator: %w", err)
	}
	return aws.ToString(out.ShardIterator), nil
}

func (s *Source) keep(shard string, i iterator) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.iterators[shard] = i
}
