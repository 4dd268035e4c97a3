package source

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/skiff-ml/skiff/inference"
	"github.com/skiff-ml/skiff/inference/hint"
	"github.com/skiff-ml/skiff/inference/internal/fixture"
)

// sinkFunc is a sink made of one function.
type sinkFunc func(ctx context.Context, messages []inference.Message) ([]int, error)

func (f sinkFunc) Put(ctx context.Context, messages []inference.Message) ([]int, error) {
	return f(ctx, messages)
}

var errBusy = errors.New("a shard is busy")

// What stays unsent is reported, between the rejected, in order.
func TestInvokeReportsTheUnsent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stream := sinkFunc(func(_ context.Context, messages []inference.Message) ([]int, error) {
			var failed []int
			for i, m := range messages {
				if m.Key == "2" || m.Key == "4" {
					failed = append(failed, i)
				}
			}
			if failed == nil {
				return nil, nil
			}
			return failed, errBusy
		})
		h, log := newSource(stream)
		ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
		defer cancel()
		raw, err := h.Invoke(ctx, fixture.Event(fixture.Ride("0", "1"), `bad`, fixture.Ride("2", "1"), fixture.Ride("3", "1"), fixture.Ride("4", "1"), `bad`))
		if err != nil {
			t.Fatal(err)
		}
		const want = `"batchItemFailures":[{"itemIdentifier":"1"},{"itemIdentifier":"2"},{"itemIdentifier":"4"},{"itemIdentifier":"5"}]}`
		if !strings.HasSuffix(string(raw), want) {
			t.Errorf("got %s", raw)
		}
		if !strings.Contains(log.String(), `"error":"a shard is busy"`) {
			t.Errorf("logged %s", log)
		}
	})
}

func TestInvokeFailsForGood(t *testing.T) {
	h, log := newSource(sinkFunc(func(context.Context, []inference.Message) ([]int, error) {
		return nil, hint.With(fmt.Errorf("no permission: %w", inference.ErrPermanent), "ask for it")
	}))
	if got, err := h.Invoke(context.Background(), fixture.Event(fixture.Ride("1", "1"), "bad")); !errors.Is(err, inference.ErrPermanent) {
		t.Errorf("got %s, %v", got, err)
	}
	for _, want := range []string{
		`"msg":"record rejected","run_id":"run1","reason":"not_json"`,
		`"msg":"invocation failed","run_id":"run1","records":2,"rejected":1,"error":"publishing 1 predictions: no permission`, `"hint":"ask for it"`,
	} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("%s is not in %s", want, log)
		}
	}
	log.Reset()
	if got, err := h.Invoke(context.Background(), []byte(`[]`)); err == nil || !strings.Contains(log.String(), `"records":0,"rejected":0`) {
		t.Errorf("got %s, %v, logged %s", got, err, log)
	}
}
