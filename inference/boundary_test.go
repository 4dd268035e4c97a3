package inference_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// The core knows neither onnxruntime nor AWS, and of all that the worker is
// made of, one package each does.
func TestBoundary(t *testing.T) {
	only := map[string]string{
		"github.com/yalue/onnxruntime_go":              "skiff/inference/ort",
		"github.com/aws/aws-sdk-go-v2/service/kinesis": "skiff/inference/sink",
		"github.com/aws/aws-sdk-go-v2/service/sqs":     "skiff/inference/sink",
		"github.com/aws/aws-sdk-go-v2/service/s3":      "skiff/inference/store",
	}
	worker := list(t, "{{.ImportPath}} {{join .Deps \" \"}}", "skiff/cmd/worker")["skiff/cmd/worker"]
	if !slices.Contains(worker, "skiff/inference/ort") {
		t.Error("skiff/cmd/worker does not depend on skiff/inference/scorer: is it there?")
	}
	for pkg, imports := range list(t, "{{.ImportPath}} {{join .Imports \" \"}}", "skiff/...") {
		if pkg != "skiff/cmd/worker" && !slices.Contains(worker, pkg) {
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
