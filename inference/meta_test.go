package inference

import (
	"math"
	"strconv"
	"testing"
	"time"
)

// The ids are those of Python's uuid.uuid5(uuid.NAMESPACE_URL, name).
func TestMeta(t *testing.T) {
	const event = "shardId-000000000000:49650000000000000000000000000000000000000000000000000001"
	output := &kept{}
	e, _ := newEngine(output, nil, limited)
	e.Outgoing = Outgoing{Meta: true, Newline: true}
	for name, test := range map[string]struct {
		stream string
		ref    Ref
		want   string
	}{
		"a record": {
			"arn:aws:kinesis:us-east-1:000000000000:stream/rides",
			Ref{EventID: []byte(event), Arrived: []byte("1764000000.123")},
			`{"a":{},"meta":{"id":"72503678-afed-515b-b8d3-6fcbe570b95e","event_id":"` + event + `","arrived":"2025-11-24T16:00:00.123Z","run_id":"run1"}}`,
		},
		"one of several": {
			"arn:aws:kinesis:us-east-1:000000000000:stream/rides",
			Ref{EventID: []byte(event), Sub: 2, Arrived: []byte("1764000000")},
			`{"a":{},"meta":{"id":"a95bf8fc-995b-57f6-8f3c-8682b88f5448","event_id":"` + event + `/2","arrived":"2025-11-24T16:00:00.000Z","run_id":"run1"}}`,
		},
		"no stream":    {"", Ref{EventID: []byte(event)}, `{"a":{},"meta":{"id":"f690b479-757e-54cb-938f-b7de94a81b24","event_id":"` + event + `","run_id":"run1"}}`},
		"no event id":  {"", Ref{Arrived: []byte(`"x"`), Sub: 1}, `{"a":{},"meta":{"run_id":"run1"}}`},
		"an odd event": {"", Ref{EventID: []byte("a\"b\n")}, `{"a":{},"meta":{"id":"65e6f55e-dde2-5461-90d2-33acfdfcec4c","event_id":"a\"b\n","run_id":"run1"}}`},
	} {
		output.messages = nil
		b := batchOf(`{"a":{}}`)
		b.Stream, b.Items[0].Ref = []byte(test.stream), test.ref
		if err := e.Handle(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		if got := string(b.Messages[0].Data); got != test.want {
			t.Errorf("%s: got %s, want %s", name, got, test.want)
		}
		if got := sent(output.messages); got != test.want+"\n" {
			t.Errorf("%s: sent %s", name, got)
		}
	}
}

// In steady state nothing is allocated for a record.
func TestMetaAllocatesNothing(t *testing.T) {
	b := batchOf(make([]string, 1000)...)
	data := []byte(`{"prediction":{"ride_duration":1.0}}`)
	if n := testing.AllocsPerRun(20, func() {
		b.Messages, b.Sent = b.Messages[:0], b.Sent[:0]
		for i := range b.Items {
			b.Messages, b.Sent = append(b.Messages, Message{Key: "a", Data: data}), append(b.Sent, i)
		}
		b.addMeta()
		b.keyByRecord()
		b.asLines()
	}); n > 5 {
		t.Errorf("%v allocations for 1,000 predictions", n)
	}
}

// A time is what package time writes, whatever was written before it.
func TestClock(t *testing.T) {
	var c clock
	for _, seconds := range []string{"0", "0.0004", "1764000000.123", "1764000000.007", "1764000000", "1764000059.9996", "1545084650.987", "253402300800.5", "1099511627775.999"} {
		s, _ := strconv.ParseFloat(seconds, 64)
		want := time.UnixMilli(int64(math.Round(s * 1000))).UTC().Format("2006-01-02T15:04:05.000Z")
		if got, ok := c.append(nil, []byte(seconds)); !ok || string(got) != want {
			t.Errorf("%s: got %s, want %s", seconds, got, want)
		}
	}
	for _, wrong := range []string{"", "-1", "NaN", "Inf", "1e300", "x"} {
		if got, ok := c.append(nil, []byte(wrong)); ok || len(got) > 0 {
			t.Errorf("%s is %s", wrong, got)
		}
	}
}
