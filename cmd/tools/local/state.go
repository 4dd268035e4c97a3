package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// lock is held by serve as long as it lives, however it ends. The file has serve's process id.
type lock struct{ file *os.File }

// errLocked means that a stack is up, or on its way.
var errLocked = errors.New("the local stack is up already")

// takeLock takes the lock, or says errLocked.
func takeLock(s settings) (*lock, error) {
	if err := os.MkdirAll(s.dir, 0o750); err != nil {
		return nil, fmt.Errorf("making %s: %w", shown(s.dir), err)
	}
	f, err := os.OpenFile(filepath.Join(s.dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the lock: %w", err)
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil {
		return &lock{f}, nil
	}
	_ = f.Close()
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, errLocked
	}
	return nil, fmt.Errorf("locking: %w", err)
}

// sign writes the process's id into the lock.
func (l *lock) sign() error {
	if err := l.file.Truncate(0); err != nil {
		return fmt.Errorf("signing the lock: %w", err)
	}
	if _, err := l.file.WriteAt([]byte(strconv.Itoa(os.Getpid())), 0); err != nil {
		return fmt.Errorf("signing the lock: %w", err)
	}
	return nil
}

func (l *lock) release() { _ = l.file.Close() }

// lockHolder is the process id in the lock.
func lockHolder(s settings) (int, error) {
	data, err := os.ReadFile(filepath.Join(s.dir, "lock"))
	if err != nil {
		return 0, fmt.Errorf("reading the lock: %w", err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(data)))
	if err != nil || pid <= 1 {
		return 0, fmt.Errorf("the lock names no process: %q", data)
	}
	return pid, nil
}
