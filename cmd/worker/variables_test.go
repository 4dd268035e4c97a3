package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Of Lambda's own variables these are its affair, not who deploys.
var lambdas = []string{"AWS_LAMBDA_RUNTIME_API", "AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "GOGC", "GOMEMLIMIT"}

// The documents' table and the usage have the variables that the worker reads, and
// no others.
func TestVariablesAreDocumented(t *testing.T) {
	read := map[string]bool{}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	asked := regexp.MustCompile(`\b(?:getenv|or|flag|number)\("([A-Z][A-Z0-9_]+)"`)
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		for _, found := range asked.FindAllStringSubmatch(string(readFile(t, file)), -1) {
			if !slices.Contains(lambdas, found[1]) {
				read[found[1]] = true
			}
		}
	}
	if len(read) < 12 {
		t.Fatalf("it reads %v: is that all?", read)
	}
	page, err := os.ReadFile("../../docs/operate.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(page), "## The worker's variables\n")
	table, _, _ = strings.Cut(table, "\n## ")
	rows := map[string]bool{}
	for row := range strings.Lines(table) {
		first, _, _ := strings.Cut(strings.TrimPrefix(row, "| "), " |")
		for _, found := range regexp.MustCompile("`([A-Z0-9_]+)`").FindAllStringSubmatch(first, -1) {
			rows[found[1]] = true
		}
	}
	for name := range read {
		if !rows[name] {
			t.Errorf("docs/operate.md's table has no %s", name)
		}
		if !strings.Contains(usage, "  "+name+" ") && !strings.Contains(usage, "  "+name+"\n") {
			t.Errorf("the usage has no %s", name)
		}
	}
	for name := range rows {
		if !read[name] && !strings.HasPrefix(name, "AWS_") && !strings.HasPrefix(name, "OTEL_") { // the libraries read those
			t.Errorf("docs/operate.md's table has %s, which the worker does not read", name)
		}
	}
}
