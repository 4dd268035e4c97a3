package sink

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/smithy-go"

	"github.com/skiff-ml/skiff/inference"
)

// silent is every service, and never answers.
type silent struct{}

func (silent) wait(ctx context.Context) error {
	<-ctx.Done()
	return &smithy.CanceledError{Err: ctx.Err()}
}

func (s silent) PutRecords(ctx context.Context, _ *kinesis.PutRecordsInput, _ ...func(*kinesis.Options)) (*kinesis.PutRecordsOutput, error) {
	return nil, s.wait(ctx)
}

func (s silent) SendMessageBatch(ctx context.Context, _ *sqs.SendMessageBatchInput, _ ...func(*sqs.Options)) (*sqs.SendMessageBatchOutput, error) {
	return nil, s.wait(ctx)
}

func (s silent) GetQueueUrl(ctx context.Context, _ *sqs.GetQueueUrlInput, _ ...func(*sqs.Options)) (*sqs.GetQueueUrlOutput, error) { //nolint:revive // the SDK calls it so
	return nil, s.wait(ctx)
}

func (s silent) WriteFile(ctx context.Context, _ string, _ []byte) error { return s.wait(ctx) }

// Whoever does not answer is told from a caller without time, and neither is
// a reason not to try again.
func TestPutDoesNotHang(t *testing.T) {
	for name, s := range map[string]inference.Sink{
		"stream":        testStream(silent{}),
		"queue":         newSQS(Queue{name: "q", url: "u"}, silent{}, silent{}, "DEAD_LETTER"),
		"unknown queue": newSQS(Queue{name: "q"}, silent{}, silent{}, "DEAD_LETTER"),
		"folder":        NewFiles(silent{}),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const second = time.Second
				for _, test := range []struct {
					deadline, stop, want time.Duration
					says                 string
				}{
					{time.Minute, time.Minute, 5 * second, "no answer within 5s"},
					{2 * second, time.Minute, 2 * second, "no answer in the time that was left"},
					{time.Minute, second, second, "stopped while waiting for the answer"},
				} {
					ctx, cancel := context.WithTimeout(context.Background(), test.deadline)
					timer := time.AfterFunc(test.stop, cancel)
					began := time.Now()
					_, err := s.Put(ctx, messages)
					if took := time.Since(began); took != test.want {
						t.Errorf("it took %v, want %v", took, test.want)
					}
					if err == nil || !strings.HasSuffix(err.Error(), ": "+test.says) || errors.Is(err, inference.ErrPermanent) {
						t.Errorf("got %v, want %s", err, test.says)
					}
					timer.Stop()
					cancel()
				}
			})
		})
	}
}
