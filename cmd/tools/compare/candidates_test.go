//go:build integration

package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestCandidates runs the whole command on a small forest, which make
// compare-test has prepared. That all predict what the pipeline does, is the
// command's to check; what they take, nobody's here.
func TestCandidates(t *testing.T) {
	t.Chdir("../../..")
	plot := filepath.Join(t.TempDir(), "compare.svg")
	var stdout, stderr bytes.Buffer
	args := []string{
		"-inputs", ".build/compare-tiny", "-bin", ".build/bin", "-batch", "1,10,1000", "-n", "1", "-starts", "1", "-steady", "10ms", "-plot", plot,
	}
	if err := run(t.Context(), args, os.Getenv, &stdout, &stderr); err != nil {
		t.Fatalf("%v\n%s", err, stderr.String())
	}
	lines := strings.Split(strings.TrimSpace(stdout.String()), "\n")
	var r Report
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &r); err != nil {
		t.Fatal(err)
	}
	if r.RunID == "" || r.CPU == "" || len(r.Results) != 6*3 {
		t.Errorf("run %q on %q, %d results", r.RunID, r.CPU, len(r.Results))
	}
	for _, result := range r.Results {
		if result.PerRecord <= 0 || result.Min > result.PerRecord || result.Max < result.PerRecord {
			t.Errorf("%+v", result)
		}
	}
	for who, exact := range map[string]bool{
		"reference": true, "sklearn_batched": true, "python_onnx": false, "go_dense": false, skiffTrees: true, skiffTable: true,
	} {
		a := r.Predictions[who]
		if a.Compared < checkBatch || exact && a.Equal != a.Compared {
			t.Errorf("%s: %+v", who, a)
		}
		if r.ColdStart[who] <= 0 || r.RSS[who] <= 0 || r.Disk[who] <= 0 {
			t.Errorf("%s: cold start %g ms, %g MB of memory, %g MB on disk", who, r.ColdStart[who], r.RSS[who], r.Disk[who])
		}
		if n := strings.Count(stdout.String(), " "+who+" "); n < 4 {
			t.Errorf("the tables have %s %d times", who, n)
		}
	}
	if svg, err := os.ReadFile(plot); err != nil || !bytes.Contains(svg, []byte("<svg")) {
		t.Errorf("the plot has %d bytes, %v", len(svg), err)
	}
}
