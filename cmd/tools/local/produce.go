package main

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"skiff/cmd/internal/lambdatest"
	"skiff/cmd/tools/internal/taxi"
)

const (
	putsInFlight = 4
	putAttempts  = 8
	putPause     = 50 * time.Millisecond // before the second attempt; doubles
)

// produce puts rides into the rides stream. The partition key is the ride's id, which is its index. done counts what has arrived.
func produce(ctx context.Context, client *kinesis.Client, rides []taxi.Ride, done *atomic.Int64) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	starts := make(chan int)
	var wg sync.WaitGroup
	for range putsInFlight {
		wg.Go(func() {
			for start := range starts {
				end := min(start+lambdatest.MaxPut, len(rides))
				if err := putRides(ctx, client, rides[start:end], start); err != nil {
					cancel(err)
					return
				}
				done.Add(int64(end - start))
			}
		})
	}
feed:
	for start := 0; start < len(rides); start += lambdatest.MaxPut {
		select {
		case starts <- start:
		case <-ctx.Done():
			break feed
		}
	}
	close(starts)
	wg.Wait()
	return context.Cause(ctx)
}

// putRides puts the rides with the ids from first on, in one call and as many more as failed entries need.
func putRides(ctx context.Context, client *kinesis.Client, rides []taxi.Ride, first int) error {
	stream := ridesStream
	entries := make([]types.PutRecordsRequestEntry, len(rides))
	for i, r := range rides {
		data, err := r.Record(first + i)
		if err != nil {
			return err
		}
		entries[i] = types.PutRecordsRequestEntry{Data: data, PartitionKey: aws.String(strconv.Itoa(first + i))}
	}
	for attempt := range putAttempts {
		if attempt > 0 {
			timer := time.NewTimer(putPause << (attempt - 1))
			select {
			case <-timer.C:
			case <-ctx.Done():
				timer.Stop()
				return ctx.Err()
			}
		}
		out, err := client.PutRecords(ctx, &kinesis.PutRecordsInput{StreamName: &stream, Records: entries})
		if err != nil {
			return fmt.Errorf("putting %d rides from %d on: %w", len(rides), first, err)
		}
		if aws.ToInt32(out.FailedRecordCount) == 0 {
			return nil
		}
		var failed []types.PutRecordsRequestEntry
		for i, r := range out.Records {
			if r.ErrorCode != nil {
				failed = append(failed, entries[i])
			}
		}
		entries = failed
	}
	return fmt.Errorf("putting %d rides from %d on: %d still fail after %d attempts", len(rides), first, len(entries), putAttempts)
}
