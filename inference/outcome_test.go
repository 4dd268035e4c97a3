package inference

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// modelFunc is a model made of one function: what becomes of an item.
type modelFunc func(b *Batch, item int)

func (f modelFunc) Predict(b *Batch) error {
	b.RunID = "run1"
	for i := range b.Items {
		f(b, i)
	}
	return nil
}

// predictOrReject predicts what an item's data is, unless that starts with bad.
func predictOrReject(b *Batch, i int) {
	data := b.Items[i].Data
	if bytes.HasPrefix(data, []byte("bad")) {
		b.Items[i].ID = []byte(`"id"`)
		b.Reject(i, &Rejection{Reason: WrongType, Field: "a.b", Expected: "a number", Found: "text"})
		return
	}
	b.Messages = append(b.Messages, Message{Key: string(b.Items[i].Key), Data: data})
	b.Sent = append(b.Sent, i)
}

// batchOf returns a batch of these items, their keys and sequence numbers 0, 1, 2….
func batchOf(items ...string) *Batch {
	b := &Batch{}
	b.Reset(len(items))
	for i, data := range items {
		n := []byte(fmt.Sprint(i))
		b.Items[i] = Item{
			Ref: Ref{Sequence: n, EventID: []byte("shardId-7:" + string(n)), Arrived: []byte("1764000000.1")}, Key: n, Data: []byte(data),
		}
	}
	return b
}

// kept is a sink that keeps what it gets, or fails.
type kept struct {
	messages []Message
	err      error
}

func (k *kept) Put(_ context.Context, messages []Message) ([]int, error) {
	if k.err != nil {
		return nil, k.err
	}
	k.messages = append(k.messages, messages...)
	return nil, nil
}

func newEngine(output, deadLetters Sink, limits Limits) (*Engine, *bytes.Buffer) {
	log := &bytes.Buffer{}
	target := func(s Sink) *Target {
		if s == nil {
			return nil
		}
		return &Target{s, limits}
	}
	return NewEngine(modelFunc(predictOrReject), target(output), target(deadLetters), slog.New(slog.NewJSONHandler(log, nil))), log
}

// fates returns the outcomes in a word each, a + behind what is dealt with.
func fates(b *Batch) string {
	var words []string
	for i := range b.Outcomes {
		o := &b.Outcomes[i]
		word := [...]string{"open", "published", "rejected", "retry"}[o.Fate]
		if o.DealtWith() {
			word += "+"
		}
		words = append(words, word)
	}
	return strings.Join(words, " ")
}

func TestOutcomes(t *testing.T) {
	down := errors.New("down")
	for _, test := range []struct {
		name                string
		output, deadLetters Sink
		want                string
	}{
		{"with a dead-letter target", &kept{}, &kept{}, "published+ rejected+ published+"},
		{"without one", &kept{}, nil, "published+ rejected published+"},
		{"a test run", nil, nil, "published+ rejected published+"},
		{"the dead-letter target is down", &kept{}, &kept{err: down}, "published+ retry published+"},
		{"the dead-letter target is gone", &kept{}, &kept{err: fmt.Errorf("gone: %w", ErrPermanent)}, "published+ retry published+"},
		{"the output is down", &kept{err: down}, &kept{}, "retry rejected+ retry"},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				e, _ := newEngine(test.output, test.deadLetters, limited)
				b := batchOf("good", "bad", "good")
				if err := e.Handle(ctx, b); err != nil {
					t.Fatal(err)
				}
				if got := fates(b); got != test.want {
					t.Errorf("got %s, want %s", got, test.want)
				}
			})
		})
	}
}

// What comes again as a whole is not dead-lettered each time.
func TestNothingIsBuriedWhenTheOutputIsGone(t *testing.T) {
	letters := &kept{}
	e, log := newEngine(&kept{err: fmt.Errorf("gone: %w", ErrPermanent)}, letters, limited)
	b := batchOf("good", "bad")
	if err := e.Handle(t.Context(), b); !errors.Is(err, ErrPermanent) {
		t.Errorf("got %v", err)
	}
	if len(letters.messages) != 0 || fates(b) != "retry rejected" || !strings.Contains(log.String(), `"msg":"invocation failed"`) {
		t.Errorf("%d letters, %s, logged %s", len(letters.messages), fates(b), log)
	}
}

func TestDeadLetter(t *testing.T) {
	letters := &kept{}
	e, log := newEngine(&kept{}, letters, limited)
	b := batchOf("bad secret", "good", "bad")
	b.Items[2].Sub = 3
	b.Items[2].Key = []byte("\xff")
	if err := e.Handle(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	const want = `{"reason":"wrong_type","field":"a.b","expected":"a number","found":"text","id":"id","partition_key":"0",` +
		`"sequence_number":"0","shard":"shardId-7","arrived":"2025-11-24T16:00:00.100Z","run_id":"run1","bytes":10,"data":"YmFkIHNlY3JldA=="}`
	if len(letters.messages) != 2 || string(letters.messages[0].Data) != want || letters.messages[0].Key != "0" {
		t.Fatalf("got  %s\nwant %s", letters.messages[0].Data, want)
	}
	var second DeadLetter
	if err := json.Unmarshal(letters.messages[1].Data, &second); err != nil || second.Sub != 3 || letters.messages[1].Key != "2" {
		t.Errorf("got %+v with key %s, %v", second, letters.messages[1].Key, err)
	}
	if strings.Contains(log.String(), "secret") {
		t.Errorf("a payload is in the log: %s", log)
	}
	for _, part := range []string{`"reason":"wrong_type"`, `"field":"a.b"`, `"expected":"a number"`, `"found":"text"`, `"id":"\"id\""`, `"key":"0"`, `"sequence_number":"2/3"`, `"dead_lettered":2`} {
		if !strings.Contains(log.String(), part) {
			t.Errorf("%s is not in %s", part, log)
		}
	}
}

// A letter that no target takes goes without the item's bytes.
func TestDeadLetterThatIsTooLarge(t *testing.T) {
	letters := &kept{}
	e, _ := newEngine(&kept{}, letters, Limits{Messages: 10, Bytes: 1000, MessageBytes: 400, Calls: 1})
	b := batchOf("bad" + strings.Repeat("x", 300))
	if err := e.Handle(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	var letter DeadLetter
	if err := json.Unmarshal(letters.messages[0].Data, &letter); err != nil || letter.Data != nil || letter.Bytes != 303 || letter.SequenceNumber != "0" {
		t.Errorf("got %+v, %v", letter, err)
	}
	if fates(b) != "rejected+" {
		t.Error(fates(b))
	}
}

// The limit of a message counts its key, byte by byte.
func TestTooLargeCountsTheKey(t *testing.T) {
	out := &kept{}
	e, _ := newEngine(out, nil, Limits{Messages: 10, Bytes: 1000, MessageBytes: 10, Calls: 1})
	b := batchOf("123456789", "1234567890", "12345678901")
	if err := e.Handle(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	if fates(b) != "published+ rejected rejected" || len(out.messages) != 1 || b.Outcomes[1].Rejection.Reason != TooLarge {
		t.Errorf("got %s, %d published", fates(b), len(out.messages))
	}
}

// A model is replaced between batches, as one value.
func TestUse(t *testing.T) {
	e, _ := newEngine(&kept{}, nil, limited)
	e.Use(modelFunc(func(b *Batch, i int) { b.RunID = "run2"; b.Reject(i, &Rejection{Reason: NotJSON}) }))
	b := batchOf("good")
	if err := e.Handle(t.Context(), b); err != nil || fates(b) != "rejected" || b.RunID != "run2" {
		t.Errorf("got %s of %s, %v", fates(b), b.RunID, err)
	}
}

// What the service said last is the reason, not that time was up.
func TestTheReasonIsWhatTheServiceSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		sink := sinkFunc(func(ctx context.Context, _ []Message) ([]int, error) {
			if calls++; calls < 4 {
				return nil, errBusy
			}
			<-ctx.Done()
			return nil, ctx.Err()
		})
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		unsent, err := deliver(ctx, Target{sink, limited}, messagesOf(3, 10))
		if len(unsent) != 3 || !errors.Is(err, errBusy) || errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("unsent %v, %v", unsent, err)
		}
	})
}

func TestNoTimeIsLeft(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), answerTime)
	defer cancel()
	unsent, err := deliver(ctx, Target{sinkFunc(func(context.Context, []Message) ([]int, error) {
		t.Error("it tried")
		return nil, nil
	}), limited}, messagesOf(1, 1))
	if len(unsent) != 1 || !errors.Is(err, errNoTime) {
		t.Errorf("unsent %v, %v", unsent, err)
	}
}
