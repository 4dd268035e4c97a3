package bundle

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
)

// Dir is a [Folder] on disk.
type Dir string

var _ Folder = Dir("")

// ReadFile reads the named file of the folder. What is no file, or a link that
// leads out of the folder, is refused: nobody waits for a pipe.
func (d Dir) ReadFile(_ context.Context, name string) ([]byte, error) {
	path := filepath.Join(string(d), name)
	root, err := os.OpenRoot(string(d))
	if err != nil {
		return nil, pathError(err, path)
	}
	defer root.Close() //nolint:errcheck // a folder only read from
	f, err := root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if errors.Is(err, syscall.EAGAIN) { // no pipe's: a file server's lease on the file, which the system has it give back
		f, err = root.OpenFile(name, os.O_RDONLY, 0)
	}
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, os.ErrPermission) {
		return nil, pathError(err, path)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, pathError(err, path))
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, pathError(err, path)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%w: %s is no file", ErrInvalid, path)
	}
	return ReadAtMost(f, int(min(info.Size(), maxModel+1)), path, MaxBytes(name))
}

// pathError is err with the whole path of the file.
func pathError(err error, path string) error {
	if p, ok := errors.AsType[*os.PathError](err); ok {
		return &os.PathError{Op: "open", Path: path, Err: p.Err}
	}
	return err
}

// ReadAtMost reads a bundle's file of an expected size, in bytes, to its end.
// One of more than most bytes is an error that wraps [ErrInvalid]; nothing is
// read of it where that was expected.
func ReadAtMost(r io.Reader, expected int, name string, most int) ([]byte, error) {
	if expected <= most {
		var data bytes.Buffer
		data.Grow(max(expected, 0) + bytes.MinRead)
		if _, err := data.ReadFrom(io.LimitReader(r, int64(most)+1)); err != nil || data.Len() <= most {
			return data.Bytes(), err
		}
	}
	return nil, fmt.Errorf("%w: %s is larger than %d bytes", ErrInvalid, name, most)
}
