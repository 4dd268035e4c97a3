package sink

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/skiff-ml/skiff/inference"
	"github.com/skiff-ml/skiff/inference/internal/awserr"
	"github.com/skiff-ml/skiff/inference/limits"
)

// sender is what an SQS needs of SQS to send, and finder to find the queue.
type sender interface {
	SendMessageBatch(ctx context.Context, in *sqs.SendMessageBatchInput, opts ...func(*sqs.Options)) (*sqs.SendMessageBatchOutput, error)
}

type finder interface {
	GetQueueUrl(ctx context.Context, in *sqs.GetQueueUrlInput, opts ...func(*sqs.Options)) (*sqs.GetQueueUrlOutput, error)
}

// An SQS is a queue. Messages of one key stay in order in a FIFO queue, which
// drops a message that comes twice within five minutes.
type SQS struct {
	queue      Queue
	sender     sender
	finder     finder
	call, find awserr.Call

	mu  sync.Mutex
	url string // "" until it is found
}

var _ inference.Sink = (*SQS)(nil)

// SQSLimits are what a queue takes.
func SQSLimits() inference.Limits {
	return inference.Limits{Messages: limits.BatchMessages, Bytes: limits.MessageBytes, MessageBytes: limits.MessageBytes, Calls: 4}
}

// NewSQS returns that queue, which the variable names. An empty endpoint means
// that of the queue's URL, or AWS's own, or what the SDK's variables say.
// Nothing is sent before the first Put.
func NewSQS(cfg aws.Config, queue Queue, endpoint, variable string) *SQS {
	if endpoint == "" {
		endpoint = queue.endpoint
	}
	service := sqs.NewFromConfig(cfg, func(o *sqs.Options) {
		if endpoint != "" {
			o.BaseEndpoint = &endpoint
		}
		if queue.region != "" {
			o.Region = queue.region
		}
		o.HTTPClient = client{o.HTTPClient}
		o.DisableMessageChecksumValidation = true // messages that were taken would be sent again; TLS says that they are whole
		o.Retryer = awserr.Once{}                 // the inference package tries again, with the deadline in view
	})
	return newSQS(queue, service, service, variable)
}

func newSQS(queue Queue, s sender, f finder, variable string) *SQS {
	call := awserr.Call{
		Doing: "sending messages to " + queue.name, Action: "sqs:SendMessage", Key: "kms:GenerateDataKey and kms:Decrypt", Variable: variable,
	}
	find := call
	find.Doing, find.Action = "finding queue "+queue.name, "sqs:GetQueueUrl (or the queue's ARN, which needs none)"
	return &SQS{queue: queue, sender: s, finder: f, call: call, find: find, url: queue.url}
}

// Put implements [inference.Sink] with one SendMessageBatch request.
func (s *SQS) Put(ctx context.Context, messages []inference.Message) ([]int, error) {
	url, err := s.findURL(ctx)
	if err != nil {
		return nil, err
	}
	in := &sqs.SendMessageBatchInput{QueueUrl: &url, Entries: make([]types.SendMessageBatchRequestEntry, len(messages))}
	for i := range messages {
		in.Entries[i] = s.entry(i, &messages[i])
	}
	var out *sqs.SendMessageBatchOutput
	_, err = answer(ctx, func(ctx context.Context) (err error) {
		out, err = s.sender.SendMessageBatch(ctx, in)
		return err
	})
	if err != nil {
		return nil, s.call.Explain(err)
	}
	return s.check(out, len(messages))
}

// findURL returns the queue's URL, which is asked for once.
func (s *SQS) findURL(ctx context.Context) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.url != "" {
		return s.url, nil
	}
	in := &sqs.GetQueueUrlInput{QueueName: &s.queue.name}
	if s.queue.account != "" {
		in.QueueOwnerAWSAccountId = &s.queue.account
	}
	var out *sqs.GetQueueUrlOutput
	_, err := answer(ctx, func(ctx context.Context) (err error) {
		out, err = s.finder.GetQueueUrl(ctx, in)
		return err
	})
	if err != nil {
		return "", s.find.Explain(err)
	}
	s.url = aws.ToString(out.QueueUrl)
	return s.url, nil
}

// entry returns a message as SQS takes it; its id is its index.
func (s *SQS) entry(index int, m *inference.Message) types.SendMessageBatchRequestEntry {
	e := types.SendMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(index)), MessageBody: aws.String(text(m.Data))}
	if s.queue.fifo() {
		e.MessageGroupId = aws.String(group(m.Key))
		e.MessageDeduplicationId = aws.String(digest(m.Data))
	}
	return e
}

// check returns the indexes of the messages that were not taken, and why. Each
// message's own answer counts: one without an answer was not taken.
func (s *SQS) check(out *sqs.SendMessageBatchOutput, messages int) ([]int, error) {
	taken := make([]bool, messages)
	for i := range out.Successful {
		if at, err := strconv.Atoi(aws.ToString(out.Successful[i].Id)); err == nil && at >= 0 && at < messages {
			taken[at] = true
		}
	}
	var codes []string // each once
	for i := range out.Failed {
		if code := aws.ToString(out.Failed[i].Code); !slices.Contains(codes, code) {
			codes = append(codes, code)
		}
	}
	var failed []int
	for i := range taken {
		if !taken[i] {
			failed = append(failed, i)
		}
	}
	switch {
	case len(failed) == 0:
		return nil, nil
	case len(failed) > len(out.Failed):
		return failed, fmt.Errorf("%s: of %d messages %d were not taken and %d say why", s.call.Doing, messages, len(failed), len(out.Failed))
	}
	return failed, s.call.Refused(len(failed), messages, codes)
}

// text returns JSON without the two characters that SQS does not take, U+FFFE
// and U+FFFF, which JSON can only have in its text: they are escaped.
func text(data []byte) string {
	data = bytes.ReplaceAll(data, []byte("\ufffe"), []byte(`\ufffe`))
	return string(bytes.ReplaceAll(data, []byte("\uffff"), []byte(`\uffff`)))
}

// group returns the id of a key's group: the key, where SQS takes it as one.
func group(key string) string {
	ok := len(key) > 0 && len(key) <= limits.GroupID
	for _, c := range []byte(key) {
		ok = ok && c > ' ' && c < 0x7f
	}
	if ok {
		return key
	}
	return digest([]byte(key))
}

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
