package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// What the worker reads of its environment is in README's table, as is what its
// usage has, and the table has no other.
func TestVariablesAreDocumented(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, ok := strings.Cut(string(readme), "## The worker's variables\n")
	section, _, _ = strings.Cut(section, "\n## ")
	if !ok {
		t.Fatal("README has no section of the worker's variables")
	}
	var table []string
	for line := range strings.Lines(section) {
		if cells := strings.Split(line, "|"); len(cells) > 2 {
			for _, m := range regexp.MustCompile("`([A-Z0-9_]+)`").FindAllStringSubmatch(cells[1], -1) {
				table = append(table, m[1])
			}
		}
	}
	read := variablesRead(t)
	if len(table) < 10 || len(read) < 10 {
		t.Fatalf("%d variables in the table, %d read: is it there?", len(table), len(read))
	}
	for _, name := range read {
		if !slices.Contains(table, name) {
			t.Errorf("%s is read, and not in README's table", name)
		}
	}
	for _, m := range regexp.MustCompile(`(?m)^  ([A-Z0-9_]+)(?: |$)`).FindAllStringSubmatch(usage, -1) {
		if !slices.Contains(table, m[1]) {
			t.Errorf("%s is in the usage, and not in README's table", m[1])
		}
	}
	for _, name := range table {
		if !slices.Contains(read, name) && !strings.HasPrefix(name, "AWS_") && name != "PREDICTIONS_STREAM_NAME" {
			t.Errorf("%s is in README's table, and not read", name)
		}
	}
}

// variablesRead returns the variables that the command's files read.
func variablesRead(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		for _, m := range regexp.MustCompile(`\b(?:getenv|or)\("([A-Z0-9_]+)"`).FindAllStringSubmatch(string(source), -1) {
			if name := m[1]; !slices.Contains(names, name) && !slices.Contains(insideLambda(), name) {
				names = append(names, name)
			}
		}
	}
	return names
}

// insideLambda returns what Lambda sets for its runtimes, and nobody else should,
// and the Go runtime's.
func insideLambda() []string {
	return []string{"AWS_LAMBDA_RUNTIME_API", "AWS_LAMBDA_INITIALIZATION_TYPE", "GOGC"}
}
