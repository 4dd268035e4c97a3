package measuring

import (
	"fmt"
	"io"
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

// quietLoad is how many processes may want a processor, on average over the last
// minute, before what is measured is not to be believed: this one, and a little.
const quietLoad = 1.2

// WarnIfBusy says on w that the machine is, by what it had to do in the last
// minute.
func WarnIfBusy(w io.Writer, command string) {
	loads, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return // not Linux
	}
	if load := Busy(string(loads)); load > 0 {
		fmt.Fprintf(w, "%s: WARNING: the machine is busy, load %.1f: compare figures of this run with each other, and believe none\n", command, load)
	}
}

// Busy returns the load of the last minute, out of /proc/loadavg, where that is
// more than a measurement can stand; otherwise 0.
func Busy(loads string) float64 {
	first, _, _ := strings.Cut(loads, " ")
	load, err := strconv.ParseFloat(first, 64)
	if err != nil || load <= quietLoad {
		return 0
	}
	return load
}
