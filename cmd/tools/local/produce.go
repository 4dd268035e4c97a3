package main

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"github.com/skiff-ml/skiff/cmd/internal/localstate"
	"github.com/skiff-ml/skiff/cmd/internal/puts"
)

const putsInFlight = 4

// produce puts the rides' records into the rides stream. The partition key is the ride's id, which is its index. done counts what has arrived.
// pace, if there is one, is asked before each call, with the id that is next.
func produce(ctx context.Context, client *kinesis.Client, records [][]byte, done *atomic.Int64, pace func(ctx context.Context, next int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	spans := make(chan puts.Span)
	var wg sync.WaitGroup
	for range putsInFlight {
		wg.Go(func() {
			for s := range spans {
				if err := putRides(ctx, client, records[s.Start:s.End], s.Start); err != nil {
					cancel(err)
					return
				}
				done.Add(int64(s.End - s.Start))
			}
		})
	}
feed:
	for _, s := range puts.Calls(records) {
		if pace != nil {
			if err := pace(ctx, s.Start); err != nil {
				cancel(err)
				break feed
			}
		}
		select {
		case spans <- s:
		case <-ctx.Done():
			break feed
		}
	}
	close(spans)
	wg.Wait()
	return context.Cause(ctx)
}

// putRides puts the records of the rides with the ids from first on.
func putRides(ctx context.Context, client *kinesis.Client, records [][]byte, first int) error {
	entries := make([]types.PutRecordsRequestEntry, len(records))
	for i, r := range records {
		entries[i] = types.PutRecordsRequestEntry{Data: r, PartitionKey: aws.String(strconv.Itoa(first + i))}
	}
	if err := puts.Put(ctx, client, localstate.RidesStream, entries); err != nil {
		return fmt.Errorf("putting %d rides from %d on: %w", len(records), first, err)
	}
	return nil
}
