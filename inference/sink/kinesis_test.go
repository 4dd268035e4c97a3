package sink

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/aws/smithy-go"

	"skiff/inference"
	"skiff/inference/hint"
)

type putterFunc func(context.Context, *kinesis.PutRecordsInput) (*kinesis.PutRecordsOutput, error)

func (f putterFunc) PutRecords(ctx context.Context, in *kinesis.PutRecordsInput, _ ...func(*kinesis.Options)) (*kinesis.PutRecordsOutput, error) {
	return f(ctx, in)
}

var messages = []inference.Message{{Key: "a", Data: []byte("1")}, {Key: "b", Data: []byte("2")}, {Key: "c", Data: []byte("3")}}

func TestPutSaysWhatFailed(t *testing.T) {
	s := &Kinesis{"predictions", putterFunc(func(_ context.Context, in *kinesis.PutRecordsInput) (*kinesis.PutRecordsOutput, error) {
		if *in.StreamName != "predictions" || len(in.Records) != 3 || *in.Records[1].PartitionKey != "b" || string(in.Records[2].Data) != "3" {
			t.Errorf("put %v", in)
		}
		return &kinesis.PutRecordsOutput{FailedRecordCount: aws.Int32(2), Records: []types.PutRecordsResultEntry{
			{ErrorCode: aws.String("ProvisionedThroughputExceededException")}, {SequenceNumber: aws.String("1")}, {ErrorCode: aws.String("InternalFailure")},
		}}, nil
	})}
	failed, err := s.Put(context.Background(), messages)
	const want = "putting records to predictions: 2 of 3 were not taken: ProvisionedThroughputExceededException, InternalFailure"
	if err == nil || err.Error() != want || errors.Is(err, inference.ErrPermanent) || !slices.Equal(failed, []int{0, 2}) {
		t.Errorf("got %v, %v", failed, err)
	}
}

func TestPutMarksWhatIsPermanent(t *testing.T) {
	for name, test := range map[string]struct {
		err       error
		permanent bool
	}{
		"no such stream": {&types.ResourceNotFoundException{}, true},
		"no permission":  {&smithy.GenericAPIError{Code: "AccessDeniedException"}, true},
		"no such key":    {&types.KMSNotFoundException{}, true},
		"throttled":      {&types.ProvisionedThroughputExceededException{}, false},
		"key throttled":  {&types.KMSThrottlingException{}, false},
		"unavailable":    {&smithy.GenericAPIError{Code: "ServiceUnavailable"}, false},
		"disconnected":   {errors.New("connection reset"), false},
	} {
		t.Run(name, func(t *testing.T) {
			s := &Kinesis{"predictions", putterFunc(func(context.Context, *kinesis.PutRecordsInput) (*kinesis.PutRecordsOutput, error) {
				return nil, &smithy.OperationError{ServiceID: "Kinesis", Err: test.err}
			})}
			_, err := s.Put(context.Background(), messages)
			if !errors.Is(err, test.err) || errors.Is(err, inference.ErrPermanent) != test.permanent || (hint.Of(err) != "") != test.permanent {
				t.Errorf("got %v, hint %q", err, hint.Of(err))
			}
		})
	}
}

func TestPutDoesNotHang(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &Kinesis{"predictions", putterFunc(func(ctx context.Context, _ *kinesis.PutRecordsInput) (*kinesis.PutRecordsOutput, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		})}
		if _, err := s.Put(context.Background(), messages); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
	})
}

// The SDK closes a body while the transport may still look for its end.
func TestABodyThatIsClosedHasEnded(t *testing.T) {
	inner := &http.Request{Body: &closable{Reader: strings.NewReader("body")}, ContentLength: 4}
	var read string
	transport := doFunc(func(r *http.Request) (*http.Response, error) {
		b := make([]byte, 4)
		n, err := io.ReadFull(r.Body, b)
		if err != nil {
			t.Error(err)
		}
		read = string(b[:n])
		if err := r.Body.Close(); err != nil {
			t.Error(err)
		}
		if n, err := r.Body.Read(b); n != 0 || err != io.EOF {
			t.Errorf("after it was closed: %d bytes, %v", n, err)
		}
		return &http.Response{Body: http.NoBody}, nil
	})
	response, err := client{transport}.Do(inner)
	if err != nil || read != "body" {
		t.Fatalf("sent %q, %v", read, err)
	}
	defer response.Body.Close()
}

type doFunc func(*http.Request) (*http.Response, error)

func (f doFunc) Do(r *http.Request) (*http.Response, error) { return f(r) }

// closable is a body that can't be read once it is closed, as the SDK's.
type closable struct {
	io.Reader
	closed bool
}

func (c *closable) Read(p []byte) (int, error) {
	if c.closed {
		return 0, errors.New("read of a closed body")
	}
	return c.Reader.Read(p)
}

func (c *closable) Close() error {
	c.closed = true
	return nil
}

// A record's own answer counts, whatever the sum says.
func TestPutBelievesTheRecords(t *testing.T) {
	for _, count := range []*int32{nil, aws.Int32(0), aws.Int32(1)} {
		s := &Kinesis{"predictions", putterFunc(func(context.Context, *kinesis.PutRecordsInput) (*kinesis.PutRecordsOutput, error) {
			return &kinesis.PutRecordsOutput{FailedRecordCount: count, Records: []types.PutRecordsResultEntry{{}, {ErrorCode: aws.String("InternalFailure")}, {}}}, nil
		})}
		if failed, err := s.Put(context.Background(), messages); err == nil || !slices.Equal(failed, []int{1}) {
			t.Errorf("got %v, %v", failed, err)
		}
	}
	s := &Kinesis{"predictions", putterFunc(func(context.Context, *kinesis.PutRecordsInput) (*kinesis.PutRecordsOutput, error) {
		return &kinesis.PutRecordsOutput{}, nil
	})}
	if failed, err := s.Put(context.Background(), messages); err == nil || failed != nil {
		t.Errorf("no answer: got %v, %v", failed, err)
	}
}

func TestPutRefusesAnAnswerToOtherRecords(t *testing.T) {
	bad, good := types.PutRecordsResultEntry{ErrorCode: aws.String("InternalFailure")}, types.PutRecordsResultEntry{}
	for name, answers := range map[string][]types.PutRecordsResultEntry{
		"none":                nil,
		"two to three":        {bad, good},
		"no error among them": {good, good, good},
	} {
		t.Run(name, func(t *testing.T) {
			s := &Kinesis{"predictions", putterFunc(func(context.Context, *kinesis.PutRecordsInput) (*kinesis.PutRecordsOutput, error) {
				return &kinesis.PutRecordsOutput{FailedRecordCount: aws.Int32(1), Records: answers}, nil
			})}
			if failed, err := s.Put(context.Background(), messages); err == nil || failed != nil {
				t.Errorf("got %v, %v", failed, err)
			}
		})
	}
}
