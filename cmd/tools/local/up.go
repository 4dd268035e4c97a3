package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/skiff-ml/skiff/cmd/internal/command"
	"github.com/skiff-ml/skiff/cmd/internal/lambdatest/ministack"
	"github.com/skiff-ml/skiff/cmd/internal/lambdatest/process"
	"github.com/skiff-ml/skiff/cmd/internal/localstate"
	"github.com/skiff-ml/skiff/inference/hint"
)

const (
	upTimeout = time.Minute      // for everything to answer
	downGrace = 15 * time.Second // for everything to end
	dyingTime = time.Second      // for a process that is killed to let go of its lock, on a busy machine
)

// firstExtraFD is the file descriptor of the first of a command's ExtraFiles, after stderr.
const firstExtraFD = 3

// upLogs is where the logs of a stack that is up go, apart from those of a run.
func upLogs(s settings) string { return filepath.Join(s.dir, "up") }

// up leaves the stack running: it starts itself again as serve, in a session of its own, and returns once everything answers.
func up(ctx context.Context, s settings, args []string, stdout io.Writer) error {
	l, err := takeLock(s)
	if errors.Is(err, errLocked) && waitForLock(ctx, s, dyingTime) == nil { // serve was killed just now
		l, err = takeLock(s)
	}
	if errors.Is(err, errLocked) {
		return alreadyUp(ctx, s, stdout)
	}
	if err != nil {
		return err
	}
	l.release() // serve takes it
	if err := cleanUp(ctx, s); err != nil {
		return err
	}
	if err := startServe(ctx, s, args); err != nil {
		return err
	}
	st, err := localstate.Read(s.dir)
	if err != nil {
		return err
	}
	if st == nil {
		return errors.New("the local stack ended at once")
	}
	fmt.Fprintf(stdout, "The local stack is up.\n\n")
	return printUp(st, s, stdout)
}

// alreadyUp explains what is up, unless that is of another run than was asked for; it keeps its own flags.
func alreadyUp(ctx context.Context, s settings, stdout io.Writer) error {
	st, err := localstate.Read(s.dir)
	if err != nil {
		return err
	}
	if st == nil || !ministack.Healthy(ctx, st.Endpoint) {
		return hint.With(errors.New("a local stack is on its way up or down"), "try again in a moment, or: skiff down")
	}
	if st.RunID != s.runID {
		return hint.With(fmt.Errorf("the local stack is up with run %s, not %s", st.RunID, s.runID), "skiff down, then skiff up")
	}
	fmt.Fprintf(stdout, "The local stack is up already.\n\n")
	return printUp(st, s, stdout)
}

// startServe starts serve and waits until it is ready.
func startServe(ctx context.Context, s settings, args []string) error {
	ctx, cancel := context.WithTimeout(ctx, upTimeout)
	defer cancel()
	if err := os.MkdirAll(upLogs(s), 0o750); err != nil {
		return fmt.Errorf("making %s: %w", shown(upLogs(s)), err)
	}
	logPath := filepath.Join(upLogs(s), "serve.log")
	log, err := os.Create(logPath)
	if err != nil {
		return fmt.Errorf("making a log: %w", err)
	}
	defer func() { _ = log.Close() }()
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("finding this program: %w", err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("making a pipe: %w", err)
	}
	defer func() { _ = r.Close() }()
	cmd := exec.Command(self, append([]string{"serve", "-ready-fd", strconv.Itoa(firstExtraFD)}, args...)...) //nolint:noctx // this program, to outlive this process
	cmd.Stdout, cmd.Stderr = log, log
	cmd.ExtraFiles = []*os.File{w}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	p, err := process.Start(cmd)
	_ = w.Close()
	if err != nil {
		return err
	}
	ready := make(chan bool, 1)
	go func() {
		line, _ := bufio.NewReader(r).ReadString('\n') // ends with serve at the latest
		ready <- line == "ready\n"
	}()
	select {
	case ok := <-ready:
		if ok {
			return nil
		}
		err := command.WithLog(errors.New("the local stack did not come up"), lastLines(logPath, 12))
		return hint.With(err, "logs: "+shown(upLogs(s)))
	case <-ctx.Done():
		p.Stop(downGrace)
		return fmt.Errorf("waiting for the local stack: %w", ctx.Err())
	}
}

// printUp says how to use what is up.
func printUp(st *localstate.State, s settings, w io.Writer) error {
	s.runID = st.RunID
	_, err := fmt.Fprintf(w, `  Kinesis and S3   %[1]s
  rides            stream %[2]s
  predictions      stream %[3]s
  dead letters     s3://%[9]s/%[10]s
  bundle           s3://%[4]s/%[5]s
  logs             %[6]s
%[12]s  stop it          skiff down, or make down

export AWS_ENDPOINT_URL=%[1]s
export AWS_REGION=%[7]s AWS_DEFAULT_REGION=%[7]s
export AWS_ACCESS_KEY_ID=%[8]s AWS_SECRET_ACCESS_KEY=%[8]s
%[11]s`, st.Endpoint, localstate.RidesStream, localstate.PredictionsStream, localstate.ModelBucket, bundlePrefix(s), shown(upLogs(s)), ministack.Region, ministack.AccessKey, localstate.DeadLetterBucket, localstate.DeadLetterPrefix, aboutAlias(st.Alias), aboutPage(st.Page))
	return err
}

// aboutPage says where the page is.
func aboutPage(url string) string {
	if url == "" {
		return ""
	}
	return "  page             " + url + "\n"
}
