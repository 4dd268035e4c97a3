package sink

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/skiff-ml/skiff/inference"
	"github.com/skiff-ml/skiff/inference/limits"
)

// A Writer keeps files under names, with slashes, which it may have already:
// then the new file is instead of the old one. Its errors are explained.
type Writer interface {
	WriteFile(ctx context.Context, name string, data []byte) error
}

// A Files is a folder that gets a file of JSON lines for each Put, a message a
// line: YYYY/MM/DD/digest.jsonl, by the day in UTC and what is in it. The same
// messages again, after an answer that was lost, are the same file on that
// day; others never are.
type Files struct {
	folder Writer
	now    func() time.Time
}

var _ inference.Sink = (*Files)(nil)

// FilesLimits are what a file takes: all the messages of one invocation.
func FilesLimits() inference.Limits {
	return inference.Limits{Messages: limits.BatchRecords, Bytes: limits.ObjectBytes, MessageBytes: limits.ObjectBytes, Calls: 1}
}

// NewFiles returns the sink that writes files to a folder.
func NewFiles(folder Writer) *Files {
	return &Files{folder: folder, now: time.Now}
}

// Put implements [inference.Sink] with one file.
func (s *Files) Put(ctx context.Context, messages []inference.Message) ([]int, error) {
	var lines bytes.Buffer
	for i := range messages {
		lines.Write(messages[i].Data)
		lines.WriteByte('\n')
	}
	name := s.now().UTC().Format("2006/01/02/") + digest(lines.Bytes())[:32] + ".jsonl"
	late, err := answer(ctx, func(ctx context.Context) error { return s.folder.WriteFile(ctx, name, lines.Bytes()) })
	if late {
		return nil, fmt.Errorf("writing %s: %w", name, err)
	}
	return nil, err
}
