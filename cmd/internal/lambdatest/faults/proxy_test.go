package faults_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"

	"github.com/skiff-ml/skiff/cmd/internal/lambdatest/faults"
)

// A bench is clients of a server that takes everything, behind a proxy.
type bench struct {
	proxy   *faults.Proxy
	taken   atomic.Int64 // records that the server took
	kinesis *kinesis.Client
	s3      *s3.Client
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			Records []struct{ PartitionKey string }
		}
		if r.Header.Get("X-Amz-Target") != "" {
			if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
				t.Error(err)
			}
		}
		var records []map[string]string
		for _, record := range in.Records {
			b.taken.Add(1)
			records = append(records, map[string]string{"SequenceNumber": "of " + record.PartitionKey, "ShardId": "shardId-000000000000"})
		}
		if err := json.NewEncoder(w).Encode(map[string]any{"FailedRecordCount": 0, "Records": records}); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(server.Close)
	var err error
	if b.proxy, err = faults.New(server.URL); err != nil {
		t.Fatal(err)
	}
	front := httptest.NewServer(b.proxy)
	t.Cleanup(front.Close)
	keys := credentials.NewStaticCredentialsProvider("test", "test", "")
	b.kinesis = kinesis.New(kinesis.Options{Region: "us-east-1", BaseEndpoint: &front.URL, Credentials: keys, Retryer: aws.NopRetryer{}})
	b.s3 = s3.New(s3.Options{Region: "us-east-1", BaseEndpoint: &front.URL, Credentials: keys, Retryer: aws.NopRetryer{}, UsePathStyle: true})
	return b
}

// put puts n records, and returns what did not arrive as their answers have it, and the error.
func (b *bench) put(ctx context.Context, n int) (failed []int, err error) {
	in := &kinesis.PutRecordsInput{StreamName: aws.String("stream")}
	for i := range n {
		in.Records = append(in.Records, types.PutRecordsRequestEntry{Data: []byte("x"), PartitionKey: aws.String(string(rune('a' + i)))})
	}
	out, err := b.kinesis.PutRecords(ctx, in)
	if err != nil {
		return nil, err
	}
	for i, r := range out.Records {
		switch {
		case aws.ToString(r.ErrorCode) != "":
			failed = append(failed, i)
		case aws.ToString(r.SequenceNumber) != "of "+*in.Records[i].PartitionKey:
			return nil, errors.New("another record's answer")
		}
	}
	if int(aws.ToInt32(out.FailedRecordCount)) != len(failed) {
		return nil, errors.New("the count is wrong")
	}
	return failed, nil
}

func TestFaults(t *testing.T) {
	third := func(i int, _ string) bool { return i%3 == 2 }
	named := func(_ int, key string) bool { return key == "b" }
	all := func(int, string) bool { return true }
	for name, tt := range map[string]struct {
		fault  faults.Fault
		code   string // of the error
		broken bool   // an error without one
		failed []int
		taken  int64
	}{
		"throttled":         {fault: faults.Throttle(), code: "ProvisionedThroughputExceededException"},
		"internal":          {fault: faults.InternalError(), code: "InternalFailure"},
		"expired":           {fault: faults.Expired(), code: "ExpiredTokenException"},
		"denied":            {fault: faults.Denied(), code: "AccessDeniedException"},
		"reset":             {fault: faults.Reset(false), broken: true},
		"reset, taken":      {fault: faults.Reset(true), broken: true, taken: 7},
		"reset in the body": {fault: faults.ResetInBody(), broken: true},
		"cut short":         {fault: faults.Truncate(), broken: true, taken: 7},
		"wrong clock":       {fault: faults.WrongClock(time.Hour), code: "InvalidSignatureException"},
		"partly failed":     {fault: faults.Partly(third), failed: []int{2, 5}, taken: 5},
		"one failed":        {fault: faults.Partly(named), failed: []int{1}, taken: 6},
		"all failed":        {fault: faults.Partly(all), failed: []int{0, 1, 2, 3, 4, 5, 6}},
		"slow":              {fault: faults.Slow(time.Millisecond), taken: 7},
		"too slow":          {fault: faults.Slow(time.Hour), broken: true, taken: 7},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.proxy.Set("PutRecords", faults.First(1, tt.fault))
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			failed, err := b.put(ctx, 7)
			api, _ := errors.AsType[smithy.APIError](err)
			if (err != nil) != (tt.code != "" || tt.broken) || (api != nil) != (tt.code != "") || api != nil && api.ErrorCode() != tt.code {
				t.Errorf("error %v", err)
			}
			if !slices.Equal(failed, tt.failed) || b.taken.Load() != tt.taken {
				t.Errorf("%v failed, %d were taken", failed, b.taken.Load())
			}
			if failed, err := b.put(t.Context(), 1); err != nil || failed != nil {
				t.Errorf("the second call: %v, %v", failed, err)
			}
			if n := b.proxy.Calls("PutRecords"); n != 2 {
				t.Errorf("%d calls", n)
			}
		})
	}
}

func TestFaultsOfS3(t *testing.T) {
	b := newBench(t)
	put := func() error {
		_, err := b.s3.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("bucket"), Key: aws.String("a/key"), Body: strings.NewReader("x")})
		return err
	}
	down := true
	b.proxy.Set("PutObject", faults.While(func() bool { return down }, faults.SlowDown()))
	err := put()
	if api, ok := errors.AsType[smithy.APIError](err); !ok || api.ErrorCode() != "SlowDown" {
		t.Errorf("error %v", err)
	}
	down = false
	if err := put(); err != nil {
		t.Error(err)
	}
	if _, err := b.s3.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("bucket"), Key: aws.String("a/key")}); err != nil {
		t.Error(err)
	}
	if puts, gets := b.proxy.Calls("PutObject"), b.proxy.Calls("GetObject"); puts != 2 || gets != 1 {
		t.Errorf("%d puts, %d gets", puts, gets)
	}
}
