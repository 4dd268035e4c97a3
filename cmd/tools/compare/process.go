package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	protocol "github.com/skiff-ml/skiff/cmd/tools/compare/candidate"
	"github.com/skiff-ml/skiff/cmd/tools/internal/measuring"
	"github.com/skiff-ml/skiff/inference/hint"
)

// A process is a candidate that runs. It obeys one command at a time; the
// package candidate says which.
type process struct {
	*candidate
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *bufio.Reader
	stderr bytes.Buffer
	began  time.Time
}

// start starts a candidate on the processor that all of them share.
func (c *comparison) start(ctx context.Context, who *candidate) (*process, error) {
	p := &process{candidate: who}
	args := append([]string{"-c", strconv.Itoa(c.cpu)}, who.command...)
	p.cmd = exec.CommandContext(ctx, "taskset", args...)
	p.cmd.Env = append(os.Environ(), who.env...)
	p.cmd.Stderr = &p.stderr
	var err error
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", who.who, err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("starting %s: %w", who.who, err)
	}
	p.out = bufio.NewReaderSize(out, 64<<10)
	p.began = time.Now()
	if err := p.cmd.Start(); err != nil {
		return nil, hint.With(fmt.Errorf("starting %s: %w", who.who, err), "it needs taskset, of util-linux")
	}
	return p, nil
}

// startAll starts every candidate. The function stops them, once.
func (c *comparison) startAll(ctx context.Context) ([]*process, func(), error) {
	var all []*process
	stop := func() {
		for _, p := range all {
			p.stop()
		}
		all = nil
	}
	for _, who := range c.candidates {
		p, err := c.start(ctx, who)
		if err != nil {
			return nil, stop, err
		}
		all = append(all, p)
	}
	return all, stop, nil
}

// stop ends the process; it has nothing to lose.
func (p *process) stop() {
	_ = p.in.Close()
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait() // that it was killed
}

// answer returns the responses to the first n events of a file.
func (p *process) answer(file string, n int) ([][]byte, error) {
	if err := p.tell("answer %s %d\n", file, n); err != nil {
		return nil, err
	}
	responses := make([][]byte, n)
	for i := range responses {
		var err error
		if responses[i], err = p.line(); err != nil {
			return nil, err
		}
	}
	return responses, nil
}

// measure returns the time a record, in µs, over events of a file that have
// so many records.
func (p *process) measure(file string, records int, atLeast time.Duration) (float64, error) {
	if err := p.tell("measure %s %d\n", file, atLeast.Milliseconds()); err != nil {
		return 0, err
	}
	line, err := p.line()
	if err != nil {
		return 0, err
	}
	var m protocol.Measured
	if err := json.Unmarshal(line, &m); err != nil {
		return 0, fmt.Errorf("measuring %s: %w", p.who, err)
	}
	return float64(m.NS) / 1000 / float64(m.Invocations) / float64(records), nil
}

func (p *process) tell(format string, args ...any) error {
	if _, err := fmt.Fprintf(p.in, format, args...); err != nil {
		return p.failed(err)
	}
	return nil
}

func (p *process) line() ([]byte, error) {
	line, err := p.out.ReadBytes('\n')
	if err != nil {
		return nil, p.failed(err)
	}
	return line, nil
}

// failed waits for a process that has stopped answering, and says why.
func (p *process) failed(err error) error {
	_ = p.in.Close()
	err = errors.Join(err, p.cmd.Wait())
	lines := strings.Split(strings.TrimSpace(p.stderr.String()), "\n")
	return hint.With(fmt.Errorf("%s does not answer: %w", p.who, err), lines[len(lines)-1])
}

// lastProcessor returns the last of those that this process may run on: the
// first ones have the most to do beside it.
func lastProcessor() (int, error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, fmt.Errorf("looking for processors: %w", err)
	}
	list := measuring.Field(string(status), "Cpus_allowed_list") // such as 0-3,7
	last := list[strings.LastIndexAny(list, "-,")+1:]
	cpu, err := strconv.Atoi(last)
	if err != nil {
		return 0, errNoProcessor
	}
	return cpu, nil
}

var errNoProcessor = errors.New("no processor is listed for this process in /proc/self/status")
