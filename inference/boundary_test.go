package inference_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// The core knows neither onnxruntime nor AWS, and each of these has one
// package that does. cmd/local is no part of the worker: it plays AWS's side, and
// cmd/compare/godense the worker's competitor.
func TestBoundary(t *testing.T) {
	only := map[string]string{
		"github.com/yalue/onnxruntime_go":              "skiff/inference/scorer",
		"github.com/aws/aws-sdk-go-v2/service/kinesis": "skiff/inference/stream",
		"github.com/aws/aws-sdk-go-v2/service/s3":      "skiff/inference/store",
	}
	for pkg, imports := range list(t, "{{.ImportPath}} {{join .Imports \" \"}}", "skiff/...") {
		if strings.HasPrefix(pkg, "skiff/cmd/local") || pkg == "skiff/cmd/compare/godense" {
			continue
		}
		for path, owner := range only {
			if slices.Contains(imports, path) && pkg != owner {
				t.Errorf("%s imports %s; only %s may", pkg, path, owner)
			}
		}
	}
	core := list(t, "{{.ImportPath}} {{join .Deps \" \"}}", "skiff/inference")["skiff/inference"]
	for _, dep := range core {
		host, _, _ := strings.Cut(dep, "/")
		if dep == "runtime/cgo" || strings.Contains(host, ".") {
			t.Errorf("skiff/inference depends on %s", dep)
		}
	}
	if len(core) == 0 {
		t.Error("skiff/inference has no dependencies at all: is it there?")
	}
}

// list runs go list and returns its lines by their first word.
func list(t *testing.T, format, packages string) map[string][]string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-f", format, packages).Output()
	if err != nil {
		t.Fatalf("go list %s: %v", packages, err)
	}
	lines := map[string][]string{}
	for line := range strings.Lines(string(out)) {
		words := strings.Fields(line)
		lines[words[0]] = words[1:]
	}
	return lines
}
