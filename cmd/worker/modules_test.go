package main

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// What measures, shows and tests the worker is no part of it: not of its
// program, and what only cmd/tools needs not of its module either.
func TestTheWorkerIsMadeOfLittle(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	packages := strings.Fields(string(out))
	if len(packages) < 50 {
		t.Fatalf("the worker is made of %d packages: is it there?", len(packages))
	}
	foreign := regexp.MustCompile(`parquet|/cobra$|^gonum\.org/|go-internal|^testing$|/httptest$|^github\.com/skiff-ml/skiff/cmd/(internal/(lambdatest|transcripts)|tools)`)
	for _, p := range packages {
		if foreign.MatchString(p) {
			t.Errorf("the worker depends on %s", p)
		}
	}
	mod, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	for _, module := range []string{"parquet", "gonum"} {
		if strings.Contains(string(mod), module) {
			t.Errorf("go.mod has %s: what needs it belongs into cmd/tools", module)
		}
	}
}
