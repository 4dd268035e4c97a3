package sink

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/skiff-ml/skiff/inference"
	"github.com/skiff-ml/skiff/inference/hint"
)

// fakeSQS is SQS made of functions.
type fakeSQS struct {
	send func(*sqs.SendMessageBatchInput) (*sqs.SendMessageBatchOutput, error)
	find func(*sqs.GetQueueUrlInput) (*sqs.GetQueueUrlOutput, error)
}

func (f fakeSQS) SendMessageBatch(_ context.Context, in *sqs.SendMessageBatchInput, _ ...func(*sqs.Options)) (*sqs.SendMessageBatchOutput, error) {
	return f.send(in)
}

func (f fakeSQS) GetQueueUrl(_ context.Context, in *sqs.GetQueueUrlInput, _ ...func(*sqs.Options)) (*sqs.GetQueueUrlOutput, error) { //nolint:revive // the SDK calls it so
	return f.find(in)
}

func testQueue(q Queue, f fakeSQS) *SQS { return newSQS(q, f, f, "DEAD_LETTER") }

// successful are the answers to the messages of these ids.
func successful(ids ...string) (out []types.SendMessageBatchResultEntry) {
	for _, id := range ids {
		out = append(out, types.SendMessageBatchResultEntry{Id: aws.String(id)})
	}
	return out
}

func failure(id, code string) types.BatchResultErrorEntry {
	return types.BatchResultErrorEntry{Id: aws.String(id), Code: aws.String(code)}
}

func TestSQSLimits(t *testing.T) {
	if got, want := SQSLimits(), (inference.Limits{Messages: 10, Bytes: 256 << 10, MessageBytes: 256 << 10, Calls: 4}); got != want {
		t.Errorf("got %+v", got)
	}
}

func TestSendSaysWhatFailed(t *testing.T) {
	for name, test := range map[string]struct {
		out       sqs.SendMessageBatchOutput
		failed    []int
		permanent bool
		says      string
	}{
		"all taken": {sqs.SendMessageBatchOutput{Successful: successful("2", "0", "1")}, nil, false, ""},
		"two not": {
			sqs.SendMessageBatchOutput{Successful: successful("1"), Failed: []types.BatchResultErrorEntry{failure("2", "InternalError"), failure("0", "RequestThrottled")}},
			[]int{0, 2},
			false, "sending messages to letters: 2 of 3 were not taken: InternalError, RequestThrottled",
		},
		"one never": {
			sqs.SendMessageBatchOutput{Successful: successful("0", "1"), Failed: []types.BatchResultErrorEntry{failure("2", "InvalidMessageContents")}},
			[]int{2},
			true, "sending messages to letters: 1 of 3 were not taken: InvalidMessageContents (trying again is no use)",
		},
		"one never, one later": {
			sqs.SendMessageBatchOutput{Successful: successful("0"), Failed: []types.BatchResultErrorEntry{failure("2", "InvalidMessageContents"), failure("1", "InternalError")}},
			[]int{1, 2},
			false, "sending messages to letters: 2 of 3 were not taken: InvalidMessageContents, InternalError",
		},
		"no answer": {sqs.SendMessageBatchOutput{}, []int{0, 1, 2}, false, "sending messages to letters: of 3 messages 3 were not taken and 0 say why"},
		"others":    {sqs.SendMessageBatchOutput{Successful: successful("0", "1", "7", "-1", "x")}, []int{2}, false, "sending messages to letters: of 3 messages 1 were not taken and 0 say why"},
	} {
		t.Run(name, func(t *testing.T) {
			s := testQueue(Queue{name: "letters", url: "http://q"}, fakeSQS{send: func(in *sqs.SendMessageBatchInput) (*sqs.SendMessageBatchOutput, error) {
				if *in.QueueUrl != "http://q" || len(in.Entries) != 3 || *in.Entries[1].MessageBody != "2" || in.Entries[0].MessageGroupId != nil {
					t.Errorf("sent %v", in)
				}
				return &test.out, nil
			}})
			failed, err := s.Put(t.Context(), messages)
			if !slices.Equal(failed, test.failed) || fmt.Sprint(err) != test.says && (err != nil || test.says != "") {
				t.Errorf("got %v, %v", failed, err)
			}
			if errors.Is(err, inference.ErrPermanent) != test.permanent || (hint.Of(err) != "") != test.permanent {
				t.Errorf("%v: hint %q", err, hint.Of(err))
			}
		})
	}
}

// SQS is asked for the URL of a name once it is needed, until it has said it,
// and of nothing else.
func TestAQueueIsFoundOnce(t *testing.T) {
	finds := 0
	s := testQueue(Queue{name: "letters"}, fakeSQS{
		find: func(in *sqs.GetQueueUrlInput) (*sqs.GetQueueUrlOutput, error) {
			if finds++; finds == 1 {
				return nil, &types.QueueDoesNotExist{ErrorCodeOverride: aws.String("AWS.SimpleQueueService.NonExistentQueue")}
			}
			if *in.QueueName != "letters" || in.QueueOwnerAWSAccountId != nil {
				t.Errorf("asked for %v", in)
			}
			return &sqs.GetQueueUrlOutput{QueueUrl: aws.String("http://found")}, nil
		},
		send: func(in *sqs.SendMessageBatchInput) (*sqs.SendMessageBatchOutput, error) {
			if *in.QueueUrl != "http://found" {
				t.Errorf("sent to %s", *in.QueueUrl)
			}
			return &sqs.SendMessageBatchOutput{Successful: successful("0", "1", "2")}, nil
		},
	})
	if failed, err := s.Put(t.Context(), messages); failed != nil || !errors.Is(err, inference.ErrPermanent) || !strings.HasPrefix(err.Error(), "finding queue letters: ") {
		t.Errorf("got %v, %v", failed, err)
	}
	for range 3 {
		if failed, err := s.Put(t.Context(), messages); failed != nil || err != nil {
			t.Errorf("got %v, %v", failed, err)
		}
	}
	if finds != 2 {
		t.Errorf("asked %d times", finds)
	}
}

// In a FIFO queue a key's letters are in order, and one that comes again is
// the same one.
func TestAFIFOQueueHasGroups(t *testing.T) {
	long := strings.Repeat("k", 129)
	letters := []inference.Message{{Key: "a", Data: []byte("1")}, {Key: "a", Data: []byte("2")}, {Key: long, Data: []byte("1")}, {Key: "é", Data: []byte("3")}, {Key: "a b", Data: []byte("4")}}
	var sent []types.SendMessageBatchRequestEntry
	s := testQueue(Queue{name: "letters.fifo", url: "u"}, fakeSQS{send: func(in *sqs.SendMessageBatchInput) (*sqs.SendMessageBatchOutput, error) {
		sent = in.Entries
		return &sqs.SendMessageBatchOutput{Successful: successful("0", "1", "2", "3", "4")}, nil
	}})
	if failed, err := s.Put(t.Context(), letters); failed != nil || err != nil {
		t.Fatalf("%v, %v", failed, err)
	}
	for i, want := range []string{"a", "a", digest([]byte(long)), digest([]byte("é")), digest([]byte("a b"))} {
		if *sent[i].MessageGroupId != want || *sent[i].MessageDeduplicationId != digest(letters[i].Data) {
			t.Errorf("%d: group %s, deduplication %s", i, *sent[i].MessageGroupId, *sent[i].MessageDeduplicationId)
		}
	}
}

// Of what JSON may have in its text SQS does not take two characters.
func TestTextIsWhatSQSTakes(t *testing.T) {
	const value = "a\ufffe\uffffé\u2028"
	data := []byte(`{"k":"` + value + `"}`)
	got := text(data)
	var back map[string]string
	if err := json.Unmarshal([]byte(got), &back); err != nil || back["k"] != value || strings.ContainsAny(got, "\ufffe\uffff") {
		t.Errorf("got %q, %v", got, err)
	}
}
