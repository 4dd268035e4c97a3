package backfill

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"

	"github.com/skiff-ml/skiff/inference"
	"github.com/skiff-ml/skiff/inference/hint"
	"github.com/skiff-ml/skiff/inference/limits"
)

// A Progress is how far a backfill is for sure: what is behind it in the files
// it has written is not.
type Progress struct {
	RunID     string `json:"run_id"`
	File      string `json:"file"`
	FileBytes int64  `json:"file_bytes"`
	Tag       string `json:"tag,omitempty"`  // of the file
	Meta      bool   `json:"meta,omitempty"` // predictions say which line they are of

	Offset      int64 `json:"offset"` // in the lines
	Lines       int   `json:"lines"`  // the empty ones as well
	Predicted   int   `json:"predicted"`
	Rejected    int   `json:"rejected"`
	Predictions int64 `json:"predictions_bytes"` // of what is written
	Letters     int64 `json:"rejected_bytes"`

	Share float64 `json:"-"` // of the file that is read, from 0 to 1
}

// readProgress reads a progress, which is zero where there is none yet.
func readProgress(name string) (p Progress, err error) {
	data, err := os.ReadFile(name)
	if errors.Is(err, os.ErrNotExist) {
		return p, nil
	}
	if err != nil {
		return p, err
	}
	if err := json.Unmarshal(data, &p); err != nil || p.Offset < 0 || p.Predictions < 0 || p.Letters < 0 {
		return p, hint.With(fmt.Errorf("%s is no progress: %w", name, err), "remove it, and what is beside it, to begin anew")
	}
	return p, nil
}

// write puts the progress into a file, as a whole or not at all.
func (p *Progress) write(name string) error {
	data, err := json.Marshal(p)
	if err != nil {
		return err
	}
	next, err := os.Create(name + ".next")
	if err != nil {
		return err
	}
	_, err = next.Write(append(data, '\n'))
	if err = errors.Join(err, next.Sync(), next.Close()); err != nil {
		return err
	}
	return os.Rename(name+".next", name)
}

// An output is a file of lines, and the sink that writes them.
type output struct {
	file *os.File
	w    *bufio.Writer
	size int64
}

var _ inference.Sink = (*output)(nil)

// openOutput opens a file that has so many bytes for sure, and takes off what is
// behind them. One that is begun has nothing in it. It is this process's until it
// is closed.
func openOutput(name string, size int64, begin bool) (*output, error) {
	flags := os.O_RDWR
	if begin {
		flags |= os.O_CREATE
	}
	file, err := os.OpenFile(name, flags, 0o644) //nolint:gosec // others may read predictions
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(hint.With(fmt.Errorf("somebody else writes %s: %w", name, err), "wait for that, or name another file with -to"), file.Close())
	}
	info, err := file.Stat()
	if err == nil && begin && info.Size() > 0 {
		err = hint.With(fmt.Errorf("%s is there already", name), "remove it, or name another file with -to")
	} else if err == nil && info.Size() < size {
		err = hint.With(fmt.Errorf("%s has %d bytes, and had %d", name, info.Size(), size), "remove it, and what is beside it, to begin anew")
	}
	if err == nil {
		err = file.Truncate(size)
	}
	if err == nil {
		_, err = file.Seek(size, io.SeekStart)
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return &output{file, bufio.NewWriterSize(file, 1<<18), size}, nil
}

// Put implements [inference.Sink]: a message is a line. What a disk does not take
// it will not take later.
func (o *output) Put(_ context.Context, messages []inference.Message) ([]int, error) {
	for i := range messages {
		_, err := o.w.Write(messages[i].Data)
		if err == nil {
			err = o.w.WriteByte('\n')
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %w", err, inference.ErrPermanent)
		}
		o.size += int64(len(messages[i].Data)) + 1
	}
	return nil, nil
}

// sync has everything on the disk.
func (o *output) sync() error {
	if err := o.w.Flush(); err != nil {
		return err
	}
	return o.file.Sync()
}

func (o *output) target() *inference.Target {
	return &inference.Target{Sink: o, Limits: inference.Limits{
		Messages: limits.BatchRecords, Bytes: limits.ObjectBytes, MessageBytes: limits.ObjectBytes, Calls: 1,
	}}
}
