package measuring

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
)

// CPU returns the processor's name, as far as the system tells.
func CPU() string {
	info, err := os.ReadFile("/proc/cpuinfo")
	if name := Field(string(info), "model name"); err == nil && name != "" {
		return name
	}
	return runtime.GOARCH
}

// Memory returns a figure of what a process has, such as VmRSS, in MiB. Linux
// has it; man 5 proc.
func Memory(pid int, name string) (float64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, fmt.Errorf("reading the memory of process %d: %w", pid, err)
	}
	kb, err := strconv.ParseFloat(strings.TrimSuffix(Field(string(status), name), " kB"), 64)
	if err != nil {
		return 0, fmt.Errorf("reading the memory of process %d: %w", pid, err)
	}
	return kb / 1024, nil
}

// Field returns a value of lines such as `name: value`, or "".
func Field(lines, name string) string {
	for line := range strings.Lines(lines) {
		if key, value, _ := strings.Cut(line, ":"); strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
