package backfill

import (
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"

	"github.com/skiff-ml/skiff/inference/hint"
)

// An Input is JSON lines to predict for.
type Input struct {
	Name  string // of the file, as it is told
	Bytes int64  // of the file
	Tag   string // another one when the contents are others, where that is known

	// Open opens the lines from there on.
	Open func(ctx context.Context, from Place) (*Text, error)
}

// A Place is behind a line of an input.
type Place struct {
	Offset int64 // bytes of the text, which is not the file where that is compressed
	Lines  int
}

// A Text is an input's lines, from a place on.
type Text struct {
	io.ReadCloser
	Share func() float64 // how much of the file has been read, from 0 to 1
}

// A Ranger opens a file from a byte on.
type Ranger interface {
	OpenAt(ctx context.Context, offset int64) (io.ReadCloser, error)
}

// Disk is a file on disk.
type Disk string

var _ Ranger = Disk("")

// OpenAt implements [Ranger].
func (d Disk) OpenAt(_ context.Context, offset int64) (io.ReadCloser, error) {
	file, err := os.Open(string(d))
	if err != nil {
		return nil, err
	}
	if _, err := file.Seek(offset, io.SeekStart); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// File returns the input that a file on disk is: JSON lines, or those compressed
// by gzip.
func File(name string) (*Input, error) {
	size, err := sizeOf(name)
	if err != nil {
		return nil, err
	}
	return Stored(name, size, "", Disk(name)), nil
}

// sizeOf returns the bytes of a file that can be read.
func sizeOf(name string) (int64, error) {
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
		return 0, hint.With(fmt.Errorf("%s is no file", name), "name a file, one at a time")
	}
	file, err := os.Open(name)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// Stored returns the input that so many bytes are, kept anywhere: JSON lines, or
// those compressed by gzip, which their first bytes say.
func Stored(name string, size int64, tag string, r Ranger) *Input {
	s := stored{name, size, r}
	return &Input{Name: name, Bytes: size, Tag: tag, Open: s.open}
}

type stored struct {
	name string
	size int64
	r    Ranger
}

func (s stored) open(ctx context.Context, from Place) (*Text, error) {
	file, err := s.count(ctx, 0)
	if err != nil {
		return nil, err
	}
	buffered := bufio.NewReaderSize(file, 1<<16)
	switch magic, err := buffered.Peek(2); {
	case err != nil && !errors.Is(err, io.EOF):
		return nil, errors.Join(err, file.Close())
	case string(magic) == "\x1f\x8b":
		return s.unzip(file, buffered, from)
	case strings.HasSuffix(s.name, ".gz") && s.size > 0:
		return nil, errors.Join(hint.With(fmt.Errorf("%s is not compressed by gzip", s.name), "is it JSON lines as they are? name it so"), file.Close())
	case from.Offset == 0:
		return &Text{reader{buffered, file}, file.share}, nil
	}
	if err := file.Close(); err != nil {
		return nil, err
	}
	if file, err = s.count(ctx, from.Offset); err != nil {
		return nil, err
	}
	return &Text{file, file.share}, nil
}

// unzip goes to its place by reading all that is before: there is no other way.
func (s stored) unzip(file *counted, compressed io.Reader, from Place) (*Text, error) {
	lines, err := gzip.NewReader(compressed)
	if err == nil {
		_, err = io.CopyN(io.Discard, lines, from.Offset)
	}
	if err != nil {
		return nil, errors.Join(damaged(s.name, err), file.Close())
	}
	return &Text{reader{unzipping{lines, s.name}, file}, file.share}, nil
}

type reader struct {
	io.Reader
	io.Closer
}

// unzipping says of what is wrong with the compression what to do.
type unzipping struct {
	r    io.Reader
	name string
}

// Read implements [io.Reader].
func (u unzipping) Read(p []byte) (int, error) {
	n, err := u.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = damaged(u.name, err)
	}
	return n, err
}

func damaged(name string, err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) || errors.Is(err, gzip.ErrHeader) || errors.Is(err, gzip.ErrChecksum) {
		return hint.With(fmt.Errorf("%s is cut short, or damaged: %w", name, err), "see what `gzip -t` says of it")
	}
	return err
}

// count opens the file from there on.
func (s stored) count(ctx context.Context, offset int64) (*counted, error) {
	r, err := s.r.OpenAt(ctx, offset)
	if err != nil {
		return nil, err
	}
	c := &counted{ReadCloser: r, size: s.size}
	c.read.Store(offset)
	return c, nil
}

// A counted is a file of which is known how much is read.
type counted struct {
	io.ReadCloser
	read atomic.Int64
	size int64
}

// Read implements [io.Reader].
func (c *counted) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	c.read.Add(int64(n))
	return n, err
}

func (c *counted) share() float64 { return float64(c.read.Load()) / float64(max(c.size, 1)) }
