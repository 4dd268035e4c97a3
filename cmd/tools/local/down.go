package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/skiff-ml/skiff/cmd/internal/localstate"
)

// lockInterval is how often down looks whether serve has ended.
const lockInterval = 50 * time.Millisecond

// down stops what up left running. Nothing to stop is fine.
func down(ctx context.Context, s settings, stdout io.Writer) error {
	l, err := takeLock(s)
	if errors.Is(err, errLocked) {
		if err := stopServe(ctx, s); err != nil {
			return err
		}
		if err := cleanUp(ctx, s); err != nil {
			return err
		}
		fmt.Fprintln(stdout, "The local stack is down.")
		return nil
	}
	if err != nil {
		return err
	}
	defer l.release()
	if err := cleanUp(ctx, s); err != nil {
		return err
	}
	fmt.Fprintln(stdout, "The local stack is not up.")
	return nil
}

// stopServe asks serve to end, and ends it when it does not.
func stopServe(ctx context.Context, s settings) error {
	pid, err := lockHolder(s)
	if err != nil {
		return err
	}
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		_ = syscall.Kill(pid, signal) // it may have ended by now, which shows in the lock
		if err := waitForLock(ctx, s, downGrace); !errors.Is(err, errLocked) {
			return err
		}
	}
	return fmt.Errorf("process %d does not end", pid)
}

// waitForLock waits until the lock is free: errLocked if it is not in time.
func waitForLock(ctx context.Context, s settings, d time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	tick := time.NewTicker(lockInterval)
	defer tick.Stop()
	for {
		l, err := takeLock(s)
		if err == nil {
			l.release()
			return nil
		}
		if !errors.Is(err, errLocked) {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return errLocked
		}
	}
}

// cleanUp removes what a serve that was killed has left: its state, its temporary folder, and ministack. It is for when no serve is running.
func cleanUp(ctx context.Context, s settings) error {
	st, err := localstate.Read(s.dir)
	if err != nil || st == nil {
		return err
	}
	// The id may be another process's by now.
	command, err := exec.CommandContext(ctx, "ps", "-o", "command=", "-p", strconv.Itoa(st.MinistackPID)).Output()
	if err == nil && st.MinistackPID > 1 && strings.Contains(string(command), "ministack") {
		_ = syscall.Kill(-st.MinistackPID, syscall.SIGKILL) // it may have ended in between
	}
	if strings.HasPrefix(filepath.Base(st.Temp), tempPrefix) {
		if err := os.RemoveAll(st.Temp); err != nil {
			return fmt.Errorf("removing what a killed stack left: %w", err)
		}
	}
	if err := os.Remove(localstate.Path(s.dir)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("removing the state: %w", err)
	}
	return nil
}
