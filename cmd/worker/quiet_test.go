//go:build linux

package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"unsafe"
)

// Of linux/seccomp.h, linux/prctl.h and linux/audit.h.
const (
	setNoNewPrivs  = 38
	setSeccomp     = 22
	filterMode     = 2
	killProcess    = 0x80000000
	allow          = 0x7fff0000
	numberAt       = 0 // of seccomp_data: the system call's number
	archAt         = 4
	argumentsAt    = 16 // eight bytes each, the low half first
	x32            = 0x40000000
	writes         = syscall.O_WRONLY | syscall.O_RDWR | syscall.O_CREAT
	loadWord       = syscall.BPF_LD | syscall.BPF_W | syscall.BPF_ABS
	jumpEqual      = syscall.BPF_JMP | syscall.BPF_JEQ | syscall.BPF_K
	jumpAnySet     = syscall.BPF_JMP | syscall.BPF_JSET | syscall.BPF_K
	jumpNotLess    = syscall.BPF_JMP | syscall.BPF_JGE | syscall.BPF_K
	returnConstant = syscall.BPF_RET | syscall.BPF_K
)

// The system calls of a processor that open a socket, or change the file
// system; from the kernel's tables.
type calls struct {
	audit uint32            // the processor's name
	never []uint32          // whatever their arguments
	open  map[uint32]uint32 // for writing: the argument that says so
}

var processors = map[string]calls{
	"amd64": {
		audit: 0xc000003e,
		never: []uint32{
			41,       // socket
			76,       // truncate
			82,       // rename
			83,       // mkdir
			84,       // rmdir
			85,       // creat
			86,       // link
			87,       // unlink
			88,       // symlink
			133,      // mknod
			258,      // mkdirat
			259,      // mknodat
			263,      // unlinkat
			264,      // renameat
			265,      // linkat
			266,      // symlinkat
			316,      // renameat2
			425, 437, // io_uring_setup and openat2, whose arguments no filter sees
		},
		open: map[uint32]uint32{2: 1, 257: 2}, // open, openat
	},
	"arm64": {
		audit: 0xc00000b7,
		never: []uint32{
			198,      // socket
			33,       // mknodat
			34,       // mkdirat
			35,       // unlinkat
			36,       // symlinkat
			37,       // linkat
			38,       // renameat
			45,       // truncate
			276,      // renameat2
			425, 437, // io_uring_setup and openat2
		},
		open: map[uint32]uint32{56: 2}, // openat
	},
}

// filter is the program that kills a process at one of the calls.
func (c calls) filter() []syscall.SockFilter {
	instruction := func(code uint16, k uint32, yes, no uint8) syscall.SockFilter {
		return syscall.SockFilter{Code: code, Jt: yes, Jf: no, K: k}
	}
	kill := instruction(returnConstant, killProcess, 0, 0)
	program := []syscall.SockFilter{
		instruction(loadWord, archAt, 0, 0),
		instruction(jumpEqual, c.audit, 1, 0), kill,
		instruction(loadWord, numberAt, 0, 0),
		instruction(jumpNotLess, x32, 0, 1), kill,
	}
	for _, number := range c.never {
		program = append(program, instruction(jumpEqual, number, 0, 1), kill)
	}
	for number, argument := range c.open {
		program = append(program,
			instruction(jumpEqual, number, 0, 4),
			instruction(loadWord, argumentsAt+8*argument, 0, 0),
			instruction(jumpAnySet, writes, 0, 1), kill,
			instruction(returnConstant, allow, 0, 0))
	}
	return append(program, instruction(returnConstant, allow, 0, 0))
}

// startQuiet starts a program that is killed when it opens a socket, or writes
// to the file system. A filter is a thread's, which a process started on it has
// as well: the thread ends with the goroutine.
func startQuiet(cmd *exec.Cmd) error {
	c, ok := processors[runtime.GOARCH]
	if !ok {
		return fmt.Errorf("no system calls are listed for %s", runtime.GOARCH)
	}
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		program := c.filter()
		filter := syscall.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
		if _, _, errno := syscall.RawSyscall6(syscall.SYS_PRCTL, setNoNewPrivs, 1, 0, 0, 0, 0); errno != 0 {
			started <- fmt.Errorf("giving up privileges: %w", errno)
			return
		}
		if _, _, errno := syscall.RawSyscall(syscall.SYS_PRCTL, setSeccomp, filterMode, uintptr(unsafe.Pointer(&filter))); errno != 0 {
			started <- fmt.Errorf("setting a seccomp filter: %w", errno)
			return
		}
		started <- cmd.Start()
	}()
	return <-started
}

// runQuiet runs a program in empty folders and returns how it ended, and what it
// wrote to its pipes.
func runQuiet(t *testing.T, cmd *exec.Cmd) (end syscall.WaitStatus, stdout, stderr string) {
	t.Helper()
	home := t.TempDir()
	for variable, folder := range map[string]string{"HOME": "home", "XDG_CACHE_HOME": "cache", "TMPDIR": "tmp", "PWD": "work"} {
		path := filepath.Join(home, folder)
		if err := os.Mkdir(path, 0o700); err != nil {
			t.Fatal(err)
		}
		cmd.Env = append(cmd.Env, variable+"="+path)
	}
	var out, errors bytes.Buffer
	cmd.Dir, cmd.Stdin, cmd.Stdout, cmd.Stderr = filepath.Join(home, "work"), strings.NewReader(""), &out, &errors
	if err := startQuiet(cmd); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // the status says it
	if found, err := filepath.Glob(filepath.Join(home, "*", "*")); err != nil || found != nil {
		t.Errorf("it left %v, %v", found, err)
	}
	return cmd.ProcessState.Sys().(syscall.WaitStatus), out.String(), errors.String()
}

// The worker talks to nobody and leaves nothing behind, nor does onnxruntime,
// which would send telemetry: whatever the environment says of that.
func TestQuiet(t *testing.T) {
	event, err := filepath.Abs(tutorialEvent)
	if err != nil {
		t.Fatal(err)
	}
	for name, args := range map[string][]string{
		"check": {"-check"},
		"event": {"-event", event},
	} {
		for _, telemetry := range []string{"", "0", "1"} {
			t.Run(name+telemetry, func(t *testing.T) {
				cmd := workerCommand(t, args...)
				cmd.Env = append(cmd.Env, "TEST_RUN=True")
				if telemetry != "" {
					cmd.Env = append(cmd.Env, "ORT_DISABLE_TELEMETRY="+telemetry)
				}
				end, stdout, stderr := runQuiet(t, cmd)
				if !end.Exited() || end.ExitStatus() != 0 || strings.Count(stdout, "\n") != 1 {
					t.Errorf("exit status %d, signal %v: %s%s", end.ExitStatus(), end.Signal(), stdout, stderr)
				}
			})
		}
	}
}

// What is not quiet is killed: without this, TestQuiet would say nothing.
func TestQuietKills(t *testing.T) {
	shell := func(script string) *exec.Cmd { return exec.CommandContext(t.Context(), "/bin/sh", "-c", script) }
	for name, test := range map[string]struct {
		cmd  *exec.Cmd
		kill bool
	}{
		"reads":         {shell("exec cat /proc/self/status"), false},
		"writes":        {shell("echo 1 > file"), true},
		"appends":       {shell("echo 1 >> file"), true},
		"makes folders": {shell("exec mkdir folder"), true},
		"makes links":   {shell("exec ln -s a b"), true},
		"removes":       {shell("exec rmdir ../tmp"), true},
		"renames":       {shell("exec mv ../tmp ../temp"), true},
		"opens sockets": {workerCommand(t, "-listen", "127.0.0.1:0"), true},
	} {
		t.Run(name, func(t *testing.T) {
			end, stdout, stderr := runQuiet(t, test.cmd)
			if killed := end.Signaled() && end.Signal() == syscall.SIGSYS; killed != test.kill {
				t.Errorf("exit status %d, signal %v: %s%s", end.ExitStatus(), end.Signal(), stdout, stderr)
			}
		})
	}
}
