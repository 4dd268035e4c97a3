package slowdisk

import (
	"os"
	"syscall"
)

// fcntl(2), which package syscall has no names of.
const (
	setLease = 1024
	getLease = 1025
)

// lease takes a write lease: whoever opens the file has it broken first. The signal that says so is one that Go does nothing about.
func lease(f *os.File) error {
	if _, _, errno := syscall.Syscall(syscall.SYS_FCNTL, f.Fd(), setLease, syscall.F_WRLCK); errno != 0 {
		return os.NewSyscallError("fcntl", errno)
	}
	return nil
}

// wanted reports whether somebody waits for the lease: it is then what it is to become.
func wanted(f *os.File) bool {
	kind, _, errno := syscall.Syscall(syscall.SYS_FCNTL, f.Fd(), getLease, 0)
	return errno == 0 && kind != syscall.F_WRLCK
}
