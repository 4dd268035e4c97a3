package ort_test

import (
	"cmp"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// skiff's operators stay within their memory whatever a bundle has, and take
// all that is whole: ops/fuzz.c, under the sanitizers of the C compiler.
// OPERATORS_FUZZ is how many forests and OPERATORS_SEED which: `make fuzz` sets
// them.
func TestOperatorsStayWithinTheirMemory(t *testing.T) {
	program := filepath.Join(t.TempDir(), "fuzz")
	build := exec.CommandContext(t.Context(), cmp.Or(os.Getenv("CC"), "cc"), "-std=gnu11", "-g", "-O2", "-DSKIFF_NO_CLONES",
		"-Wall", "-Wextra", "-Werror", "-fsanitize=address,undefined", "-fno-sanitize-recover=all",
		"-o", program, "fuzz.c", "trees.c", "forest.c")
	build.Dir = "ops"
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building the fuzzer: %v\n%s", err, out)
	}
	turns, seed := cmp.Or(os.Getenv("OPERATORS_FUZZ"), "3000"), cmp.Or(os.Getenv("OPERATORS_SEED"), "1")
	out, err := exec.CommandContext(t.Context(), program, turns, seed).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
}
