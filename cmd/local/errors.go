package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// errUsage is a wrong command line. Its explanation has been printed.
var errUsage = errors.New("wrong usage")

// problem is an error with lines of a log that show it and what a person can do about it.
type problem struct {
	err  error
	log  []string
	hint string
}

func (p *problem) Error() string { return p.err.Error() }

func (p *problem) Unwrap() error { return p.err }

// withHint adds a hint to an error, unless there is one.
func withHint(err error, hint string, args ...any) error {
	if p := (*problem)(nil); err == nil || errors.As(err, &p) {
		return err
	}
	return &problem{err: err, hint: fmt.Sprintf(hint, args...)}
}

// exitCode prints err as every command of the project does, and says how to exit: 0, 1 on an error, 2 on wrong usage.
func exitCode(err error, stderr io.Writer) int {
	if err == nil {
		return 0
	}
	if errors.Is(err, errUsage) {
		return 2
	}
	fmt.Fprintf(stderr, "local: error: %v\n", err)
	if p := (*problem)(nil); errors.As(err, &p) {
		for _, line := range p.log {
			fmt.Fprintf(stderr, "  | %s\n", line)
		}
		if p.hint != "" {
			fmt.Fprintf(stderr, "hint: %s\n", p.hint)
		}
	}
	return 1
}

// lastLines are the last n lines of a log, shortened to a readable width; none when it cannot be read.
func lastLines(path string, n int) []string {
	data, err := os.ReadFile(path)
	if err != nil || len(data) == 0 {
		return nil
	}
	const width = 400 // characters
	lines := strings.Split(strings.TrimRight(string(data), "\n"), "\n")
	lines = lines[max(0, len(lines)-n):]
	for i, line := range lines {
		if len(line) > width {
			lines[i] = line[:width] + "…"
		}
	}
	return lines
}
