package kinesalite

import (
	"context"
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
)

// An open shard takes records of keys whose hash is from start on.
type open struct {
	id         string
	start, end *big.Int
}

// Split splits one of a stream's open shards in the middle of its keys.
func (s *Server) Split(ctx context.Context, stream string, rng *rand.Rand) error {
	shards, err := s.open(ctx, stream)
	if err != nil {
		return err
	}
	shard := shards[rng.IntN(len(shards))]
	middle := new(big.Int).Add(shard.start, shard.end)
	middle.Rsh(middle, 1)
	_, err = s.Kinesis.SplitShard(ctx, &kinesis.SplitShardInput{StreamName: &stream, ShardToSplit: &shard.id, NewStartingHashKey: aws.String(middle.String())})
	if err != nil {
		return fmt.Errorf("splitting %s of %s: %w", shard.id, stream, err)
	}
	return s.active(ctx, stream)
}

// Merge merges two of a stream's open shards, of which there have to be two. They are neighbours, as AWS wants them.
func (s *Server) Merge(ctx context.Context, stream string, rng *rand.Rand) error {
	shards, err := s.open(ctx, stream)
	if err != nil {
		return err
	}
	if len(shards) < 2 {
		return fmt.Errorf("merging shards of %s: %w", stream, errNoShard)
	}
	i := rng.IntN(len(shards) - 1)
	_, err = s.Kinesis.MergeShards(ctx, &kinesis.MergeShardsInput{StreamName: &stream, ShardToMerge: &shards[i].id, AdjacentShardToMerge: &shards[i+1].id})
	if err != nil {
		return fmt.Errorf("merging %s of %s: %w", shards[i].id, stream, err)
	}
	return s.active(ctx, stream)
}

// open lists the shards that are not closed, in the order of their keys' hashes.
func (s *Server) open(ctx context.Context, stream string) ([]open, error) {
	if err := s.active(ctx, stream); err != nil {
		return nil, err
	}
	out, err := s.Kinesis.ListShards(ctx, &kinesis.ListShardsInput{StreamName: &stream})
	if err != nil {
		return nil, fmt.Errorf("listing the shards of %s: %w", stream, err)
	}
	var shards []open
	for _, shard := range out.Shards {
		if shard.SequenceNumberRange != nil && shard.SequenceNumberRange.EndingSequenceNumber == nil {
			shards = append(shards, open{aws.ToString(shard.ShardId), hash(shard.HashKeyRange, true), hash(shard.HashKeyRange, false)})
		}
	}
	if len(shards) == 0 {
		return nil, fmt.Errorf("listing the shards of %s: %w", stream, errNoShard)
	}
	slices.SortFunc(shards, func(a, b open) int { return a.start.Cmp(b.start) })
	return shards, nil
}

// hash is where a range of hashes starts, or ends.
func hash(r *types.HashKeyRange, start bool) *big.Int {
	n := new(big.Int)
	if r == nil {
		return n
	}
	text := aws.ToString(r.EndingHashKey)
	if start {
		text = aws.ToString(r.StartingHashKey)
	}
	n.SetString(text, 10) // a stand-in's is a number
	return n
}
