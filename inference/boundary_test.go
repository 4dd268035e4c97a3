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
		"github.com/yalue/onnxruntime_go":              "github.com/skiff-ml/skiff/inference/ort",
		"github.com/aws/aws-sdk-go-v2/service/kinesis": "github.com/skiff-ml/skiff/inference/sink",
		"github.com/aws/aws-sdk-go-v2/service/sqs":     "github.com/skiff-ml/skiff/inference/sink",
		"github.com/aws/aws-sdk-go-v2/service/s3":      "github.com/skiff-ml/skiff/inference/store",
	}
	worker := list(t, "{{.ImportPath}} {{join .Deps \" \"}}", "github.com/skiff-ml/skiff/cmd/worker")["github.com/skiff-ml/skiff/cmd/worker"]
	if !slices.Contains(worker, "github.com/skiff-ml/skiff/inference/ort") {
		t.Error("github.com/skiff-ml/skiff/cmd/worker does not depend on github.com/skiff-ml/skiff/inference/scorer: is it there?")
	}
	for pkg, imports := range list(t, "{{.ImportPath}} {{join .Imports \" \"}}", "skiff/...") {
		if pkg != "github.com/skiff-ml/skiff/cmd/worker" && !slices.Contains(worker, pkg) {
			continue
		}
		for path, owner := range only {
			if slices.Contains(imports, path) && pkg != owner {
				t.Errorf("%s imports %s; only %s may", pkg, path, owner)
			}
		}
	}
	core := list(t, "{{.ImportPath}} {{join .Deps \" \"}}", "github.com/skiff-ml/skiff/inference")["github.com/skiff-ml/skiff/inference"]
	for _, dep := range core {
		host, _, _ := strings.Cut(dep, "/")
		if dep == "runtime/cgo" || strings.Contains(host, ".") {
			t.Errorf("github.com/skiff-ml/skiff/inference depends on %s", dep)
		}
	}
	if len(core) == 0 {
		t.Error("github.com/skiff-ml/skiff/inference has no dependencies at all: is it there?")
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
