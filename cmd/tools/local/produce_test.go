package main

import (
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"github.com/skiff-ml/skiff/cmd/internal/lambdatest"
)

func TestProduce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var (
			mu    sync.Mutex
			calls int
			got   = map[string]int{}
		)
		client := lambdatest.StubKinesis(func(in any) (any, error) { // the first three calls fail every other record
			mu.Lock()
			defer mu.Unlock()
			calls++
			out := &kinesis.PutRecordsOutput{FailedRecordCount: aws.Int32(0)}
			for i, e := range in.(*kinesis.PutRecordsInput).Records {
				if calls <= 3 && i%2 == 0 {
					*out.FailedRecordCount++
					out.Records = append(out.Records, types.PutRecordsResultEntry{ErrorCode: aws.String("ProvisionedThroughputExceededException")})
					continue
				}
				got[*e.PartitionKey]++
				out.Records = append(out.Records, types.PutRecordsResultEntry{SequenceNumber: aws.String("1")})
			}
			return out, nil
		})
		var done atomic.Int64
		if err := produce(t.Context(), client, make([][]byte, 1234), &done, nil); err != nil {
			t.Fatal(err)
		}
		if calls != 6 || done.Load() != 1234 || len(got) != 1234 {
			t.Errorf("%d calls put %d of %d rides", calls, len(got), done.Load())
		}
		for key, n := range got {
			if n != 1 {
				t.Errorf("ride %s was put %d times", key, n)
			}
		}
	})
}

func TestProduceGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := lambdatest.StubKinesis(func(in any) (any, error) {
			n := len(in.(*kinesis.PutRecordsInput).Records)
			out := &kinesis.PutRecordsOutput{FailedRecordCount: aws.Int32(int32(n))}
			for range n {
				out.Records = append(out.Records, types.PutRecordsResultEntry{ErrorCode: aws.String("InternalFailure")})
			}
			return out, nil
		})
		var done atomic.Int64
		err := produce(t.Context(), client, make([][]byte, 10_000), &done, nil)
		if err == nil || !strings.Contains(err.Error(), "500 still fail after 8 attempts") || done.Load() != 0 {
			t.Errorf("%d done, error %v", done.Load(), err)
		}
	})
}
