package backfill

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/skiff-ml/skiff/inference"
	"github.com/skiff-ml/skiff/inference/hint"
)

// echo predicts what a document is, and rejects what is bad.
type echo struct{ before func(batch int) }

// batches counts them; the tests run one after the other.
var batches int

func (e echo) Predict(b *inference.Batch) error {
	batches++
	if e.before != nil {
		e.before(batches)
	}
	b.RunID = "run1"
	for i := range b.Items {
		if bytes.Contains(b.Items[i].Data, []byte("bad")) {
			b.Reject(i, &inference.Rejection{Reason: inference.NotJSON})
			continue
		}
		b.Messages = append(b.Messages, inference.Message{Data: bytes.Clone(b.Items[i].Data)})
		b.Sent = append(b.Sent, i)
	}
	return nil
}

// input is a file on disk.
func input(t *testing.T, file string) *Input {
	t.Helper()
	in, err := File(file)
	if err != nil {
		t.Fatal(err)
	}
	return in
}

var quiet = slog.New(slog.DiscardHandler)

// write makes a file of n lines, of which each seventh is bad.
func write(t *testing.T, n int) (file, predictions string, rejected []int) {
	t.Helper()
	var all, good strings.Builder
	for i := range n {
		line := fmt.Sprintf(`{"n":%d}`, i)
		if i%7 == 3 {
			line = "bad"
			rejected = append(rejected, i+1)
		} else {
			good.WriteString(line + "\n")
		}
		all.WriteString(line + "\n")
	}
	file = filepath.Join(t.TempDir(), "rides.jsonl")
	if err := os.WriteFile(file, []byte(all.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return file, good.String(), rejected
}

func read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// letters returns the lines that are rejected.
func letters(t *testing.T, to string) []int {
	t.Helper()
	var all []int
	for line := range strings.Lines(read(t, to+".rejected")) {
		var l struct {
			Line int    `json:"sequence_number,string"`
			Data []byte `json:"data"`
		}
		if err := json.Unmarshal([]byte(line), &l); err != nil || string(l.Data) != "bad" {
			t.Fatal(line, err)
		}
		all = append(all, l.Line)
	}
	return all
}

func TestRun(t *testing.T) {
	file, predictions, rejected := write(t, 3500)
	to := file + ".out"
	told := 0
	job := Job{Input: input(t, file), To: to, RunID: "run1", Report: func(Progress) { told++ }}
	done, err := job.Run(t.Context(), echo{}, quiet)
	if err != nil || done.Lines != 3500 || done.Predicted+done.Rejected != 3500 || done.Rejected != len(rejected) || told == 0 {
		t.Errorf("%+v, %v", done, err)
	}
	if read(t, to) != predictions || fmt.Sprint(letters(t, to)) != fmt.Sprint(rejected) {
		t.Error("the files are others")
	}
	if _, err := os.Stat(to + ".progress"); !errors.Is(err, os.ErrNotExist) {
		t.Error("it is done, and has a progress")
	}
	if _, err := job.Run(t.Context(), echo{}, quiet); err == nil || hint.Of(err) == "" || read(t, to) != predictions {
		t.Errorf("again: %v", err)
	}
}

// Stopped in any batch, by a signal or without a word, it goes on to the same
// files.
func TestGoesOn(t *testing.T) {
	for _, killed := range []bool{false, true} {
		for at := 1; at < 6; at++ {
			file, predictions, rejected := write(t, 5500)
			to := file + ".out"
			job := Job{Input: input(t, file), To: to, RunID: "run1"}
			ctx, cancel := context.WithCancel(t.Context())
			batches = 0
			var kept [3]string
			stop := echo{func(batch int) {
				if batch == at {
					cancel()
					if killed { // as the disk is now, and behind it what nobody made sure of
						more := strings.Repeat("x", 1<<20)
						kept = [3]string{read(t, to) + more, read(t, to+".rejected") + more, read(t, to+".progress")}
					}
				}
			}}
			if _, err := job.Run(ctx, stop, quiet); !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
			if killed {
				for i, name := range []string{to, to + ".rejected", to + ".progress"} {
					if err := os.WriteFile(name, []byte(kept[i]), 0o600); err != nil {
						t.Fatal(err)
					}
				}
			}
			batches = 0
			done, err := job.Run(t.Context(), echo{}, quiet)
			if err != nil || done.Lines != 5500 || done.Predicted+done.Rejected != 5500 || done.Rejected != len(rejected) {
				t.Errorf("%+v, %v", done, err)
			}
			if read(t, to) != predictions || fmt.Sprint(letters(t, to)) != fmt.Sprint(rejected) {
				t.Errorf("stopped in batch %d, the files are others", at)
			}
			if !killed && batches > 6-at {
				t.Errorf("stopped in batch %d, %d are done again", at, batches)
			}
		}
	}
}

func TestGoesOnWithTheSame(t *testing.T) {
	file, _, _ := write(t, 2500)
	to := file + ".out"
	ctx, cancel := context.WithCancel(t.Context())
	job := Job{Input: input(t, file), To: to, RunID: "run1"}
	if _, err := job.Run(ctx, echo{func(int) { cancel() }}, quiet); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	other := job
	other.RunID = "run2"
	if _, err := other.Run(t.Context(), echo{}, quiet); err == nil || hint.Of(err) == "" {
		t.Errorf("another run: %v", err)
	}
	if err := os.WriteFile(file, []byte("{}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	job.Input = input(t, file)
	if _, err := job.Run(t.Context(), echo{}, quiet); err == nil || hint.Of(err) == "" {
		t.Errorf("another file: %v", err)
	}
	if err := os.WriteFile(to+".progress", []byte("{}}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := job.Run(t.Context(), echo{}, quiet); err == nil || hint.Of(err) == "" {
		t.Errorf("no progress: %v", err)
	}
}

func TestLines(t *testing.T) {
	for name, test := range map[string]struct{ file, predictions string }{
		"nothing":          {"", ""},
		"empty lines":      {"\n\n{}\n \n[]", "{}\n[]\n"},
		"lines of Windows": {"{}\r\n[]\r\n", "{}\n[]\n"},
		"a long line":      {`"` + strings.Repeat("x", 5<<20) + "\"\n{}\n", `"` + strings.Repeat("x", 5<<20) + "\"\n{}\n"},
	} {
		file := filepath.Join(t.TempDir(), "rides.jsonl")
		if err := os.WriteFile(file, []byte(test.file), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := (Job{Input: input(t, file), To: file + ".out", RunID: "run1"}).Run(t.Context(), echo{}, quiet); err != nil || read(t, file+".out") != test.predictions {
			t.Errorf("%s: %.100q, %v", name, read(t, file+".out"), err)
		}
	}
	file := filepath.Join(t.TempDir(), "rides.jsonl")
	if err := os.WriteFile(file, make([]byte, lineBytes+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := (Job{Input: input(t, file), To: file + ".out", RunID: "run1"}).Run(t.Context(), echo{}, quiet); err == nil || !strings.Contains(err.Error(), "line 1 has over") || hint.Of(err) == "" {
		t.Error(err)
	}
	if _, err := File(file + "?"); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}
