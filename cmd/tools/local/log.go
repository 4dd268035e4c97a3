package main

import (
	"os"
	"strings"
)

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
