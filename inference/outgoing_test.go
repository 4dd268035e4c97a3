package inference

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// pairs packs two messages that follow each other into one.
func pairs(messages []Message) (packed []Message, of []int) {
	for i, m := range messages {
		if i%2 == 0 {
			packed = append(packed, Message{Key: m.Key, Data: bytes.Clone(m.Data)})
		} else {
			last := &packed[len(packed)-1]
			last.Data = append(append(last.Data, '+'), m.Data...)
		}
		of = append(of, len(packed)-1)
	}
	return packed, of
}

func sent(messages []Message) string {
	var all []string
	for _, m := range messages {
		all = append(all, string(m.Data))
	}
	return strings.Join(all, " ")
}

func TestNewlines(t *testing.T) {
	output := &kept{}
	e, _ := newEngine(output, &kept{}, Limits{Messages: 500, Bytes: 1000, MessageBytes: 10, Calls: 1})
	e.Outgoing.Newline = true
	b := batchOf("a", "bad", "c", "12345678", "123456789") // with its key and the line feed: 10, 11
	if err := e.Handle(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	if got := sent(output.messages); got != "a\n c\n 12345678\n" {
		t.Errorf("sent %q", got)
	}
	if got := sent(b.Messages); got != "a c 12345678" || fates(b) != "published+ rejected+ published+ published+ rejected+" {
		t.Errorf("got %q, %s", got, fates(b))
	}
}

// What is packed shares the fate of what it is packed in.
func TestPack(t *testing.T) {
	output := sinkFunc(func(_ context.Context, messages []Message) ([]int, error) {
		var failed []int
		for i, m := range messages {
			if string(m.Data) == "3+4" {
				failed = append(failed, i)
			}
		}
		if failed == nil {
			return nil, nil
		}
		return failed, fmt.Errorf("no: %w", errBusy)
	})
	ctx, cancel := context.WithTimeout(t.Context(), answerTime+firstWait)
	defer cancel()
	o := Outgoing{Pack: pairs}
	b := batchOf("0", "1", "2", "3", "4", "5", "6")
	b.Messages = messagesOf(7, 0)
	for i := range b.Messages {
		b.Messages[i].Data = b.Items[i].Data
	}
	b.Messages = slices.Delete(b.Messages, 2, 3) // 0+1 3+4 5+6
	unsent, err := o.deliver(ctx, Target{output, limited}, b)
	if !slices.Equal(unsent, []int{2, 3}) || err == nil {
		t.Errorf("unsent %v, %v", unsent, err)
	}
}
