// Package process runs a command in a process group of its own, so that stopping it also stops whatever it started, and so that a
// terminal's interrupt reaches only the program that started it.
package process

import (
	"fmt"
	"os/exec"
	"syscall"
	"time"
)

// Process is a command that was started, and may have ended since.
type Process struct {
	cmd    *exec.Cmd
	exited chan struct{}
	err    error
}

// Start starts cmd at the head of a new process group. The caller stops it with Stop.
func Start(cmd *exec.Cmd) (*Process, error) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	if !cmd.SysProcAttr.Setsid { // a session of its own brings a group of its own
		cmd.SysProcAttr.Setpgid = true
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", cmd.Path, err)
	}
	p := &Process{cmd: cmd, exited: make(chan struct{})}
	go func() {
		p.err = cmd.Wait()
		close(p.exited)
	}()
	return p, nil
}

// PID is the process's id, and its group's.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Exited is closed once the process has ended.
func (p *Process) Exited() <-chan struct{} { return p.exited }

// Status says how the process ended, such as "exit status 1". It is only to be called after Exited is closed.
func (p *Process) Status() string {
	if p.err != nil {
		return p.err.Error()
	}
	return p.cmd.ProcessState.String()
}

// Stop asks the group to end and, after grace, ends it. It returns once the process is gone.
func (p *Process) Stop(grace time.Duration) {
	if grace > 0 {
		p.signal(syscall.SIGTERM)
		timer := time.NewTimer(grace)
		defer timer.Stop()
		select {
		case <-p.exited:
		case <-timer.C:
		}
	}
	p.signal(syscall.SIGKILL)
	<-p.exited
}

// signal ignores its error: the only one that can happen is that nothing of the group is left.
func (p *Process) signal(s syscall.Signal) { _ = syscall.Kill(-p.PID(), s) }
