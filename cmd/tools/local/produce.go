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

	"github.com/skiff-ml/skiff/inference/limits"
)

const (
	putsInFlight = 4
	putAttempts  = 8
	putPause     = 50 * time.Millisecond // before the second attempt; doubles
	maxPutBytes  = limits.PutBytes / 2   // of the records; the rest is room for their keys
)

// produce puts the rides' records into the rides stream. The partition key is the ride's id, which is its index. done counts what has arrived.
// pace, if there is one, is asked before each call, with the id that is next.
func produce(ctx context.Context, client *kinesis.Client, records [][]byte, done *atomic.Int64, pace func(ctx context.Context, next int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	spans := make(chan span)
	var wg sync.WaitGroup
	for range putsInFlight {
		wg.Go(func() {
			for s := range spans {
				if err := putRides(ctx, client, records[s.start:s.end], s.start); err != nil {
					cancel(err)
					return
				}
				done.Add(int64(s.end - s.start))
			}
		})
	}
feed:
	for _, s := range calls(records) {
		if pace != nil {
			if err := pace(ctx, s.start); err != nil {
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

// span is a half-open range of records.
type span struct{ start, end int }

// calls cuts records into those of PutRecords calls, by their number and their bytes.
func calls(records [][]byte) []span {
	var spans []span
	s, size := span{}, 0
	for i, r := range records {
		if s.end-s.start == limits.PutRecords || s.end > s.start && size+len(r) > maxPutBytes {
			spans = append(spans, s)
			s, size = span{i, i}, 0
		}
		s.end++
		size += len(r)
	}
	if s.end > s.start {
		spans = append(spans, s)
	}
	return spans
}

// putRides puts the records of the rides with the ids from first on.
func putRides(ctx context.Context, client *kinesis.Client, records [][]byte, first int) error {
	entries := make([]types.PutRecordsRequestEntry, len(records))
	for i, r := range records {
		entries[i] = types.PutRecordsRequestEntry{Data: r, PartitionKey: aws.String(strconv.Itoa(first + i))}
	}
	if err := putEntries(ctx, client, entries); err != nil {
		return fmt.Errorf("putting %d rides from %d on: %w", len(records), first, err)
	}
	return nil
}

// putEntries puts entries into the rides stream, in one call and as many more as failed ones need.
func putEntries(ctx context.Context, client *kinesis.Client, entries []types.PutRecordsRequestEntry) error {
	stream := ridesStream
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
			return err
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
	return fmt.Errorf("%d still fail after %d attempts", len(entries), putAttempts)
}
