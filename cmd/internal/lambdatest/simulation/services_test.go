package simulation

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	queues "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"

	"github.com/skiff-ml/skiff/inference"
	"github.com/skiff-ml/skiff/inference/sink"
	"github.com/skiff-ml/skiff/inference/store"
)

// Services are Kinesis, S3 and SQS: what they took, and from which invocation.
type services struct {
	history *history

	mu          sync.Mutex
	predictions []taken
	letters     []taken
	objects     map[string]bool // that were written
	injected    map[place]byte
}

// A taken is a message that a service took.
type taken struct {
	id         int
	data       []byte
	invocation *invocation
	lost       bool // nobody heard that it was taken
}

// latency is how long a call takes that goes well.
const latency = 10 * time.Millisecond

type invocationKey struct{}

var errReset = errors.New("read tcp: connection reset by peer")

// sdk is the configuration of clients whose calls end at the services.
func (s *services) sdk() aws.Config {
	return aws.Config{
		Region: "us-east-1", Credentials: aws.AnonymousCredentials{}, HTTPClient: noHTTP{},
		APIOptions: []func(*middleware.Stack) error{func(stack *middleware.Stack) error {
			return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("services",
				func(ctx context.Context, in middleware.InitializeInput, _ middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
					out, err := s.call(ctx, in.Parameters)
					return middleware.InitializeOutput{Result: out}, middleware.Metadata{}, err
				}), middleware.Before)
		}},
	}
}

// target is where dead letters go, or nil.
func (s *services) target(kind string) (*inference.Target, error) {
	sdk := s.sdk()
	switch kind {
	case "kinesis":
		stream, err := sink.ParseStream("letters")
		return s.limited(sink.NewKinesis(sdk, stream, "", "DEAD_LETTER")), err
	case "sqs":
		queue, err := sink.ParseQueue("arn:aws:sqs:us-east-1:000000000000:letters")
		return s.limited(sink.NewSQS(sdk, queue, "", "DEAD_LETTER")), err
	case "s3":
		location, err := store.ParseLocation("s3://letters/here")
		return &inference.Target{Sink: sink.NewFiles(store.New(sdk, location, "", "DEAD_LETTER")), Limits: sink.FilesLimits()}, err
	}
	return nil, nil //nolint:nilnil // there is none
}

// limited is a target with the history's limits.
func (s *services) limited(to inference.Sink) *inference.Target {
	return &inference.Target{Sink: to, Limits: inference.Limits{Messages: s.history.PerCall, Bytes: 1 << 20, MessageBytes: largest, Calls: s.history.Calls}}
}

type noHTTP struct{}

// An entry is a message of a call.
type entry struct {
	id   int
	data []byte
}

// call answers one.
func (s *services) call(ctx context.Context, in any) (any, error) {
	switch in := in.(type) {
	case *kinesis.PutRecordsInput:
		entries := make([]entry, len(in.Records))
		for i, r := range in.Records {
			entries[i] = entryOf(*r.PartitionKey, r.Data)
		}
		operation := "put"
		if *in.StreamName == "letters" {
			operation = "letter"
		}
		refused, err := s.take(ctx, operation, "kinesis", entries)
		if err != nil {
			return nil, err
		}
		out := &kinesis.PutRecordsOutput{FailedRecordCount: aws.Int32(int32(len(refused)))}
		for i := range entries {
			if refused[i] {
				out.Records = append(out.Records, types.PutRecordsResultEntry{ErrorCode: aws.String("ProvisionedThroughputExceededException")})
			} else {
				out.Records = append(out.Records, types.PutRecordsResultEntry{SequenceNumber: aws.String("1")})
			}
		}
		if refused[missing] {
			out.FailedRecordCount, out.Records = aws.Int32(0), out.Records[:len(entries)-1]
		}
		return out, nil
	case *sqs.SendMessageBatchInput:
		entries := make([]entry, len(in.Entries))
		for i, e := range in.Entries {
			entries[i] = letterOf([]byte(*e.MessageBody))
		}
		refused, err := s.take(ctx, "letter", "sqs", entries)
		if err != nil {
			return nil, err
		}
		out := &sqs.SendMessageBatchOutput{}
		for i, e := range in.Entries {
			if refused[i] {
				out.Failed = append(out.Failed, queues.BatchResultErrorEntry{Id: e.Id, Code: aws.String("InternalError")})
			} else {
				out.Successful = append(out.Successful, queues.SendMessageBatchResultEntry{Id: e.Id})
			}
		}
		return out, nil
	case *s3.PutObjectInput:
		data, err := io.ReadAll(in.Body)
		if err != nil {
			return nil, err
		}
		var entries []entry
		if !s.has(*in.Key) {
			for line := range bytes.Lines(data) {
				entries = append(entries, letterOf(line))
			}
		}
		first := letterOf(data[:bytes.IndexByte(data, '\n')])
		_, err = s.takeFrom(ctx, "letter", "s3", first.id, entries, func() { s.objects[*in.Key] = true })
		return &s3.PutObjectOutput{}, err
	}
	return nil, fmt.Errorf("a call of %T", in)
}

func (s *services) has(object string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.objects[object]
}

func entryOf(key string, data []byte) entry {
	id, err := strconv.Atoi(key)
	if err != nil {
		id = -1
	}
	return entry{id, data}
}

// letterOf is a dead letter's entry: its record's partition key says whose it is.
func letterOf(data []byte) entry {
	var l struct {
		Key string `json:"partition_key"`
	}
	_ = json.Unmarshal(data, &l) // what is none is nobody's
	return entryOf(l.Key, data)
}

// missing is among the refused of a call whose answer lacks its last entry.
const missing = -1

func (s *services) take(ctx context.Context, operation, service string, entries []entry) (map[int]bool, error) {
	return s.takeFrom(ctx, operation, service, entries[0].id, entries, func() {})
}

// takeFrom takes the entries of a call whose first record is this, but for those that its fault refuses.
func (s *services) takeFrom(ctx context.Context, operation, service string, first int, entries []entry, done func()) (map[int]bool, error) {
	inv, _ := ctx.Value(invocationKey{}).(*invocation)
	p := inv.place(operation, first, entries)
	fault := s.history.fault(p, kinds[service])
	if inv.outage(operation, p.first, fault) {
		fault = 't'
	} else if fault != 0 {
		s.inject(p, fault, inv)
	}
	if fault != 's' && fault != 'S' {
		select {
		case <-time.After(latency):
		case <-ctx.Done():
			if inv.dead() {
				return nil, ctx.Err()
			}
		}
	}
	refused := map[int]bool{}
	for i := range entries {
		refused[i] = fault == 'p' && i%2 == 0 || fault == 'q' && i%2 == 1 || fault == 'a'
		if !refused[i] {
			delete(refused, i)
		}
	}
	if fault == 'm' {
		refused[missing], refused[len(entries)-1] = true, true
	}
	if !strings.ContainsRune("tioersk", rune(fault)) || fault == 0 {
		s.keep(inv, operation, entries, refused, strings.ContainsRune(lost, rune(fault)) && fault != 0, done)
	}
	switch fault {
	case 't', 'o':
		return nil, &smithy.GenericAPIError{Code: "ProvisionedThroughputExceededException", Message: "Rate exceeded"}
	case 'i':
		return nil, &smithy.GenericAPIError{Code: "InternalFailure"}
	case 'e':
		return nil, &smithy.GenericAPIError{Code: "ExpiredTokenException", Message: "expired"}
	case 'r', 'R':
		return nil, errReset
	case 's', 'S':
		<-ctx.Done()
		return nil, ctx.Err()
	case 'k', 'K':
		inv.kill()
		return nil, context.Canceled
	}
	return refused, nil
}

// keep keeps what was taken. A process that is dead puts nothing.
func (s *services) keep(inv *invocation, operation string, entries []entry, refused map[int]bool, lost bool, done func()) {
	if inv.dead() {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	done()
	for i, e := range entries {
		if refused[i] {
			continue
		}
		t := taken{e.id, bytes.Clone(e.data), inv, lost}
		if operation == "put" {
			s.predictions = append(s.predictions, t)
		} else {
			s.letters = append(s.letters, t)
		}
	}
}

// inject keeps that a fault took place.
func (s *services) inject(p place, fault byte, inv *invocation) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.injected[p] = fault
	if fault != 'w' {
		inv.faults++
	}
}

// took reports whether a fault took place.
func (s *services) took(p place, fault byte) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.injected[p] == fault
}

// Do implements aws.HTTPClient: no call gets as far.
func (noHTTP) Do(*http.Request) (*http.Response, error) {
	return nil, errors.New("there is no network")
}
