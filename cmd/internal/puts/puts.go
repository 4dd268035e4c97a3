// Package puts puts records on a Kinesis stream, for commands that are not the
// worker: a request, and as many more as its failed records need.
package puts

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"github.com/skiff-ml/skiff/inference/limits"
)

const (
	attempts = 8
	pause    = 50 * time.Millisecond // before the second attempt; doubles
	maxBytes = limits.PutBytes / 2   // of the records; the rest is room for their keys
)

// A Span is a half-open range of records.
type Span struct{ Start, End int }

// Calls cuts records into those of PutRecords calls, by their number and their
// bytes.
func Calls(records [][]byte) []Span {
	var spans []Span
	s, size := Span{}, 0
	for i, r := range records {
		if s.End > s.Start && !Fits(s.End-s.Start, size+len(r)) {
			spans = append(spans, s)
			s, size = Span{i, i}, 0
		}
		s.End++
		size += len(r)
	}
	if s.End > s.Start {
		spans = append(spans, s)
	}
	return spans
}

// Fits reports whether a call with so many records takes one more, with which
// they have so many bytes.
func Fits(records, bytes int) bool { return records < limits.PutRecords && bytes <= maxBytes }

// Put puts the entries of one call on a stream, by its name or its ARN. It tries
// those again that fail alone, eight times in all. The client repeats a call that
// fails as a whole.
func Put(ctx context.Context, client *kinesis.Client, stream string, entries []types.PutRecordsRequestEntry) error {
	for attempt := range attempts {
		if attempt > 0 {
			timer := time.NewTimer(pause << (attempt - 1))
			select {
			case <-timer.C:
			case <-ctx.Done():
				timer.Stop()
				return ctx.Err()
			}
		}
		in := &kinesis.PutRecordsInput{Records: entries}
		in.StreamName, in.StreamARN = Name(stream)
		out, err := client.PutRecords(ctx, in)
		if err != nil {
			return err
		}
		if len(out.Records) != len(entries) {
			return fmt.Errorf("%d records were put and %d answered", len(entries), len(out.Records))
		}
		var failed []types.PutRecordsRequestEntry
		for i, r := range out.Records {
			if r.ErrorCode != nil {
				failed = append(failed, entries[i])
			}
		}
		if entries = failed; len(entries) == 0 {
			return nil
		}
	}
	return fmt.Errorf("%d still fail after %d attempts", len(entries), attempts)
}
