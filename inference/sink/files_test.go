package sink

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/skiff-ml/skiff/inference"
)

type writerFunc func(name string, data []byte) error

func (f writerFunc) WriteFile(_ context.Context, name string, data []byte) error {
	return f(name, data)
}

// A file has a message a line, in order; the same messages on the same day are
// the same file, and others are not.
func TestFiles(t *testing.T) {
	written := map[string]string{}
	s := NewFiles(writerFunc(func(name string, data []byte) error {
		written[name] = string(data)
		return nil
	}))
	s.now = func() time.Time { return time.Date(2025, 12, 31, 23, 30, 0, 0, time.FixedZone("", -3600)) }
	for _, put := range [][]inference.Message{messages, messages[:2], messages, messages[:2]} {
		if failed, err := s.Put(t.Context(), put); failed != nil || err != nil {
			t.Errorf("%v, %v", failed, err)
		}
	}
	const all, two = "1\n2\n3\n", "1\n2\n"
	want := map[string]string{
		"2026/01/01/" + digest([]byte(all))[:32] + ".jsonl": all,
		"2026/01/01/" + digest([]byte(two))[:32] + ".jsonl": two,
	}
	if len(written) != len(want) {
		t.Errorf("written: %v", written)
	}
	for name, data := range want {
		if written[name] != data {
			t.Errorf("%s: %q, want %q", name, written[name], data)
		}
	}
}

func TestFilesThatAreNotWritten(t *testing.T) {
	denied := errors.New("denied")
	s := NewFiles(writerFunc(func(string, []byte) error { return denied }))
	if failed, err := s.Put(t.Context(), messages); failed != nil || !errors.Is(err, denied) {
		t.Errorf("%v, %v", failed, err)
	}
	if got, want := FilesLimits(), (inference.Limits{Messages: 10_000, Bytes: 5 << 30, MessageBytes: 5 << 30, Calls: 1}); got != want {
		t.Errorf("got %+v", got)
	}
}

func TestKinesisLimits(t *testing.T) {
	if got, want := KinesisLimits(), (inference.Limits{Messages: 500, Bytes: 5 << 20, MessageBytes: 1 << 20, Calls: 4}); got != want {
		t.Errorf("got %+v", got)
	}
}
