package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"github.com/skiff-ml/skiff/inference/hint"
)

// A Dir is a folder on disk whose files change.
type Dir string

// ReadChanged reads a file unless it still has that tag, its SHA-256: then there
// is no data, and the same tag. A file that isn't there is an error that wraps
// [os.ErrNotExist].
func (d Dir) ReadChanged(_ context.Context, name, tag string) (data []byte, newTag string, err error) {
	if data, err = os.ReadFile(filepath.Join(string(d), name)); err != nil {
		return nil, "", err
	}
	if newTag = sum(data); newTag == tag {
		return nil, tag, nil
	}
	return data, newTag, nil
}

// WriteIf writes a file that still has that tag, or one that is not there yet,
// where the tag is empty, at once or not at all. Otherwise it is an error that
// wraps [ErrConflict].
func (d Dir) WriteIf(ctx context.Context, name string, data []byte, tag string) (err error) {
	file := filepath.Join(string(d), name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil { //nolint:gosec // the worker, another user, reads what is in it
		return fmt.Errorf("writing %s: %w", file, err)
	}
	lock, err := os.OpenFile(filepath.Join(filepath.Dir(file), ".lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("writing %s: %w", file, err)
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return fmt.Errorf("locking %s: %w", lock.Name(), err)
	}
	_, now, err := d.ReadChanged(ctx, name, "")
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("writing %s: %w", file, err)
	}
	if now != tag {
		return hint.With(fmt.Errorf("writing %s: %w", file, ErrConflict), "see what is there now, then try again")
	}
	if err := os.WriteFile(file+".new", data, 0o644); err != nil { //nolint:gosec // the worker, another user, reads it
		return fmt.Errorf("writing %s: %w", file, err)
	}
	return os.Rename(file+".new", file)
}

func sum(data []byte) string {
	hash := sha256.Sum256(data)
	return hex.EncodeToString(hash[:])
}
