package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// state is what up leaves for down and for a second up, in state.json. It is there once everything answers.
type state struct {
	RunID        string `json:"run_id"`
	Alias        string `json:"alias,omitempty"` // which stood for it at first
	Endpoint     string `json:"endpoint"`
	PID          int    `json:"pid"` // of serve
	MinistackPID int    `json:"ministack_pid"`
	Temp         string `json:"temp"` // folder
}

func statePath(s settings) string { return filepath.Join(s.dir, "state.json") }

// readState reads the state; there is none, and no error, when nothing is up.
func readState(s settings) (*state, error) {
	data, err := os.ReadFile(statePath(s))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil //nolint:nilnil // nothing is up
	}
	if err != nil {
		return nil, fmt.Errorf("reading the state: %w", err)
	}
	var st state
	if err := json.Unmarshal(data, &st); err != nil {
		return nil, fmt.Errorf("reading %s: %w", shown(statePath(s)), err)
	}
	return &st, nil
}

// write replaces the state in one step.
func (st state) write(s settings) error {
	data, err := json.Marshal(st)
	if err != nil {
		return fmt.Errorf("writing the state: %w", err)
	}
	temp := statePath(s) + ".new"
	if err := os.WriteFile(temp, append(data, '\n'), 0o600); err != nil {
		return fmt.Errorf("writing the state: %w", err)
	}
	if err := os.Rename(temp, statePath(s)); err != nil {
		return fmt.Errorf("writing the state: %w", err)
	}
	return nil
}

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
