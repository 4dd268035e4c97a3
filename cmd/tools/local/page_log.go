package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"time"

	"github.com/skiff-ml/skiff/cmd/internal/page"
	"github.com/skiff-ml/skiff/inference/observe"
)

// maxLogLine is the most of a log's line that is kept while its end is not there; what is longer is not shown.
const maxLogLine = 64 << 10

// A logReader shows what the worker says in its log. Nothing waits for it.
type logReader struct {
	file string
	page *page.Page

	offset int64
	rest   []byte // of a line that is not whole
}

// follow reads what is there, and what comes, until ctx ends.
func (r *logReader) follow(ctx context.Context) {
	tick := time.NewTicker(pageTail)
	defer tick.Stop()
	for {
		r.read()
		select {
		case <-tick.C:
		case <-ctx.Done():
			r.read()
			return
		}
	}
}

// read reads what has come.
func (r *logReader) read() {
	f, err := os.Open(r.file)
	if err != nil {
		return // it comes with the worker
	}
	defer f.Close()
	if _, err := f.Seek(r.offset, io.SeekStart); err != nil {
		return
	}
	buffer := make([]byte, maxLogLine)
	for {
		n, err := f.Read(buffer)
		r.offset += int64(n)
		r.take(buffer[:n])
		if err != nil {
			return
		}
	}
}

// take takes a part of the log.
func (r *logReader) take(part []byte) {
	for {
		line, after, whole := bytes.Cut(part, []byte("\n"))
		if !whole {
			if len(r.rest)+len(line) <= maxLogLine {
				r.rest = append(r.rest, line...)
			}
			return
		}
		r.line(append(r.rest, line...))
		r.rest, part = r.rest[:0], after
	}
}

// said is what there is to show in a line of the worker's log.
type said struct {
	Time          time.Time
	Msg, Error    string
	RunID         string `json:"run_id"`
	Estimator     string
	Alias         string
	Reason, Field string
	Detail, Found string
	Expected      string
	ID, Key       string
	DeadLettered  bool `json:"dead_lettered"`
}

func (r *logReader) line(line []byte) {
	if m, at := observe.Parse(line); m != nil {
		r.page.Record(m, at)
		return
	}
	var s said
	if json.Unmarshal(line, &s) != nil {
		return
	}
	switch s.Msg {
	case "ready", "model changed":
		r.page.Serves(page.Model{RunID: s.RunID, Estimator: s.Estimator, Alias: s.Alias, Since: s.Time})
		return
	case "record rejected":
		r.page.Rejects(page.Rejected{
			At: s.Time, Reason: s.Reason, Field: s.Field, Detail: s.Detail, Expected: s.Expected, Found: s.Found,
			ID: s.ID, Key: s.Key, DeadLettered: s.DeadLettered,
		})
		return
	}
	if s.Error != "" {
		r.page.Fails(page.Failure{At: s.Time, Text: s.Msg + ": " + s.Error}, s.Msg == "invocation failed")
	}
}
