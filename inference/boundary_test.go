package inference_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// module is this module's path.
const module = "github.com/skiff-ml/skiff"

// The core knows neither onnxruntime nor AWS, and of all that the worker is
// made of, one package each does.
func TestBoundary(t *testing.T) {
	const main, core = module + "/cmd/worker", module + "/inference"
	only := map[string]string{
		"github.com/yalue/onnxruntime_go":              core + "/ort",
		"github.com/aws/aws-sdk-go-v2/service/kinesis": core + "/sink",
		"github.com/aws/aws-sdk-go-v2/service/sqs":     core + "/sink",
		"github.com/aws/aws-sdk-go-v2/service/s3":      core + "/store",
		"go.opentelemetry.io/otel/sdk/trace":           core + "/trace",
	}
	worker := list(t, "{{.ImportPath}} {{join .Deps \" \"}}", main)[main]
	for path, owner := range only {
		if !slices.Contains(worker, owner) || !slices.Contains(worker, path) {
			t.Errorf("%s does not depend on %s and %s: are they there?", main, owner, path)
		}
	}
	for pkg, imports := range list(t, "{{.ImportPath}} {{join .Imports \" \"}}", module+"/...") {
		if pkg != main && !slices.Contains(worker, pkg) {
			continue
		}
		for path, owner := range only {
			if slices.Contains(imports, path) && pkg != owner {
				t.Errorf("%s imports %s; only %s may", pkg, path, owner)
			}
		}
	}
	deps := list(t, "{{.ImportPath}} {{join .Deps \" \"}}", core)[core]
	for _, dep := range deps {
		host, _, _ := strings.Cut(dep, "/")
		if dep == "runtime/cgo" || strings.Contains(host, ".") && !strings.HasPrefix(dep, module+"/") {
			t.Errorf("%s depends on %s", core, dep)
		}
	}
	if len(deps) == 0 {
		t.Errorf("%s has no dependencies at all: is it there?", core)
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
