package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/skiff-ml/skiff/cmd/internal/localstate"
)

// serve is the stack that up leaves running, until down or until something in it fails. Its stderr is a log.
func serve(ctx context.Context, s settings, stderr io.Writer) error {
	bundle, err := readManifest(s.model)
	if err != nil {
		return err
	}
	l, err := takeLock(s)
	if err != nil {
		return err
	}
	defer l.release()
	if err := l.sign(); err != nil {
		return err
	}
	live, err := openPage(ctx, s)
	if err != nil {
		return err
	}
	defer live.close()
	st, err := newStack(ctx, s, upLogs(s), filepath.Join(s.dir, "s3"))
	if err != nil {
		return err
	}
	defer st.close()
	if err := live.watch(ctx, st); err != nil {
		return err
	}
	if s.alias != "" {
		if err := st.followAlias(ctx); err != nil {
			return err
		}
	}
	if err := st.startWorker(ctx); err != nil {
		return err
	}
	givenUp, err := st.newOnFailure(true)
	if err != nil {
		return err
	}
	m, err := st.newMapping(&scorer{function: st.function}, givenUp, nil)
	if err != nil {
		return err
	}
	now := localstate.State{RunID: s.runID, Alias: s.alias, ID: bundle.idPath, Endpoint: st.ministack.Endpoint, PID: os.Getpid(), MinistackPID: st.ministack.PID(), Temp: st.temp}
	if live != nil {
		now.Page = live.url
	}
	if err := now.Write(s.dir); err != nil {
		return err
	}
	defer func() { _ = os.Remove(localstate.Path(s.dir)) }()
	if err := sayReady(s.readyFD); err != nil {
		return err
	}
	fmt.Fprintf(stderr, "serving run %s at %s\n", s.runID, st.ministack.Endpoint)

	mapping, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		select {
		case <-st.ministack.Exited():
			cancel(fmt.Errorf("ministack ended: %s", st.ministack.Status()))
		case <-mapping.Done():
		}
	}()
	err = m.Run(mapping)
	if ctx.Err() != nil { // down
		return nil
	}
	if cause := context.Cause(mapping); cause != nil {
		return cause
	}
	return err
}

// sayReady tells up, if that is who started serve.
func sayReady(fd int) error {
	if fd == 0 {
		return nil
	}
	f := os.NewFile(uintptr(fd), "ready")
	_, err := f.WriteString("ready\n")
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("telling up: %w", err)
	}
	return nil
}
