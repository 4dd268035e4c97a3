package mapping

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"github.com/skiff-ml/skiff/cmd/internal/puts"
	"github.com/skiff-ml/skiff/inference/limits"
)

// Source reads a Kinesis stream: the Lister and Reader of a mapping. It may be used concurrently.
type Source struct {
	client *kinesis.Client
	stream string
	start  Start

	mu        sync.Mutex
	iterators map[position]string
	first     map[string]bool // the shards that there were when they were listed first
	began     time.Time       // when that was
}

// A Start is where a mapping starts to read a stream: StartingPosition, and StartingPositionTimestamp. The zero one is TRIM_HORIZON. It is for
// the shards that there are then; shards that are made of them are read from their beginning, so that nothing is left out.
type Start struct {
	Position types.ShardIteratorType // TRIM_HORIZON, LATEST or AT_TIMESTAMP
	At       time.Time               // of AT_TIMESTAMP
}

var (
	_ Lister = (*Source)(nil)
	_ Reader = (*Source)(nil)
)

// position is a place in a shard: behind a sequence number, or at the start.
type position struct{ shard, after string }

// NewSource makes a source of a stream, by its name or its ARN.
func NewSource(client *kinesis.Client, stream string) *Source {
	return NewSourceFrom(client, stream, Start{})
}

// NewSourceFrom makes a source of a stream that starts somewhere else than at its beginning.
func NewSourceFrom(client *kinesis.Client, stream string, start Start) *Source {
	return &Source{client: client, stream: stream, start: start, iterators: map[position]string{}}
}

// Shards lists the stream's shards.
func (s *Source) Shards(ctx context.Context) ([]Shard, error) {
	var shards []Shard
	in := &kinesis.ListShardsInput{}
	in.StreamName, in.StreamARN = puts.Name(s.stream)
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
			s.listed(shards)
			return shards, nil
		}
		in = &kinesis.ListShardsInput{NextToken: out.NextToken}
	}
}

// listed keeps which shards there were at first.
func (s *Source) listed(shards []Shard) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.first != nil {
		return
	}
	s.first, s.began = map[string]bool{}, time.Now()
	for _, shard := range shards {
		s.first[shard.ID] = true
	}
}

// Read is one GetRecords call. The client repeats what is worth repeating, throttling above all; an iterator that has expired is replaced.
func (s *Source) Read(ctx context.Context, shard, after string, limit int) ([]Record, bool, error) {
	at := position{shard, after}
	s.mu.Lock()
	token := s.iterators[at]
	s.mu.Unlock()
	var err error
	if token == "" {
		if token, err = s.iterator(ctx, at, false); err != nil {
			return nil, false, err
		}
	}
	out, err := s.get(ctx, token, limit)
	if expired := (*types.ExpiredIteratorException)(nil); errors.As(err, &expired) {
		if token, err = s.iterator(ctx, at, true); err == nil {
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
	s.mu.Lock()
	defer s.mu.Unlock()
	if at.after != "" { // the start is no sequence number: another reader of the shard may have got no further yet
		delete(s.iterators, at)
	}
	s.iterators[position{shard, after}] = aws.ToString(out.NextShardIterator)
	return records, out.NextShardIterator == nil, nil
}

func (s *Source) get(ctx context.Context, token string, limit int) (*kinesis.GetRecordsOutput, error) {
	return s.client.GetRecords(ctx, &kinesis.GetRecordsInput{ShardIterator: &token, Limit: aws.Int32(int32(min(limit, limits.GetRecords)))}) //nolint:gosec // within the limit
}

// iterator is a new iterator. Again says that there was one at this place, which has expired: what has come since is not to be left out.
func (s *Source) iterator(ctx context.Context, at position, again bool) (string, error) {
	in := &kinesis.GetShardIteratorInput{ShardId: &at.shard, ShardIteratorType: types.ShardIteratorTypeTrimHorizon}
	in.StreamName, in.StreamARN = puts.Name(s.stream)
	s.mu.Lock()
	starts := s.first == nil || s.first[at.shard]
	began := s.began
	s.mu.Unlock()
	switch {
	case at.after != "":
		in.ShardIteratorType, in.StartingSequenceNumber = types.ShardIteratorTypeAfterSequenceNumber, &at.after
	case !starts || s.start.Position == "":
	case s.start.Position == types.ShardIteratorTypeLatest && again:
		in.ShardIteratorType, in.Timestamp = types.ShardIteratorTypeAtTimestamp, &began
	default:
		in.ShardIteratorType = s.start.Position
		if in.ShardIteratorType == types.ShardIteratorTypeAtTimestamp {
			in.Timestamp = &s.start.At
		}
	}
	out, err := s.client.GetShardIterator(ctx, in)
	if err != nil {
		return "", fmt.Errorf("getting an iterator: %w", err)
	}
	return aws.ToString(out.ShardIterator), nil
}
