package mapping

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/skiff-ml/skiff/cmd/internal/lambdatest"
	"github.com/skiff-ml/skiff/inference/limits"
)

// A window is a tumbling window of a shard that is open: the records that arrived in it, and the state that the function has made of them.
type window struct {
	start, end time.Time
	state      json.RawMessage
}

// windowSize is the room that a window takes in an event beside its state: times, names and a shard's and a stream's.
const windowSize = 1 << 10

// windowOf is the window of records that arrived at a time: windows follow one another from 1970 on.
func windowOf(arrived time.Time, length time.Duration) *window {
	start := time.Unix(0, arrived.UnixNano()/int64(length)*int64(length)).UTC()
	return &window{start: start, end: start.Add(length), state: json.RawMessage("{}")}
}

func (w *window) has(arrived time.Time) bool {
	return !arrived.Before(w.start) && arrived.Before(w.end)
}

// until is when the window is over; the zero time where none is open.
func (w *window) until() time.Time {
	if w == nil {
		return time.Time{}
	}
	return w.end
}

// keep keeps the state that an invocation has answered with. An answer without one is a failed invocation.
func (w *window) keep(result Result) bool {
	var answer struct {
		State json.RawMessage `json:"state"`
	}
	if result.FunctionError != "" || json.Unmarshal(result.Payload, &answer) != nil || len(answer.State) == 0 || bytes.Equal(answer.State, []byte("null")) {
		return false
	}
	w.state = answer.State
	return true
}

// full reports whether the state is larger than a window's may be.
func (w *window) full() bool { return len(w.state) > limits.WindowState }

// A windowed is what an event has beside its records in a tumbling window.
type windowed struct {
	Window struct {
		Start string `json:"start"`
		End   string `json:"end"`
	} `json:"window"`
	State           json.RawMessage `json:"state"`
	ShardID         string          `json:"shardId"`
	EventSourceARN  string          `json:"eventSourceARN"`
	IsFinal         bool            `json:"isFinalInvokeForWindow"`
	TerminatedEarly bool            `json:"isWindowTerminatedEarly"`
}

// event is a batch as its invocation gets it.
func (m *Mapping) event(b batch) []byte {
	event := lambdatest.Event(b.entries)
	if b.window == nil {
		return event
	}
	return m.windowEvent(event, b.shard, b.window, false, false)
}

func (m *Mapping) windowEvent(event []byte, shard string, w *window, final, early bool) []byte {
	more := windowed{State: w.state, ShardID: shard, EventSourceARN: m.config.EventSourceARN, IsFinal: final, TerminatedEarly: early}
	more.Window.Start, more.Window.End = w.start.Format(time.RFC3339), w.end.Format(time.RFC3339)
	text, err := json.Marshal(more)
	if err != nil {
		panic(err) // the state was read as JSON
	}
	event = append(bytes.TrimSuffix(event, []byte("}")), ',')
	return append(event, text[1:]...)
}

// closeWindow invokes the function once more with a window's state, until that succeeds: nothing else of the shard is delivered before.
func (m *Mapping) closeWindow(ctx context.Context, shard string, w *window) error {
	return m.finish(ctx, shard, w, true, false)
}

// endEarly hands over the state of a window that has grown too large, which goes on with a fresh one.
func (m *Mapping) endEarly(ctx context.Context, shard string, w *window) error {
	err := m.finish(ctx, shard, w, false, true)
	w.state = json.RawMessage("{}")
	return err
}

func (m *Mapping) finish(ctx context.Context, shard string, w *window, final, early bool) error {
	for retries := 0; ; retries++ {
		result, err := m.function.Invoke(ctx, m.windowEvent(lambdatest.Event(nil), shard, w, final, early))
		if err != nil {
			return fmt.Errorf("invoking the function at the end of a window of %s: %w", shard, err)
		}
		m.count(1, 0, 0)
		if result.FunctionError == "" {
			return nil
		}
		m.log.Warn("the end of a window failed", "shard", shard, "window", w.start, "error", result.message())
		if err := wait(ctx, m.config.pause(retries)); err != nil {
			return err
		}
	}
}
