package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/skiff-ml/skiff/cmd/internal/command"
	"github.com/skiff-ml/skiff/cmd/internal/library"
)

// bundles are the variables that a bundle is found and loaded by.
func bundles() []string {
	return []string{
		"RUN_ID", "MODEL_LOCATION", "MODEL_BUCKET", "MLFLOW_EXPERIMENT_ID", "MODEL_SHA256", "MODEL_PUBLIC_KEY", "S3_ENDPOINT_URL", "ONNXRUNTIME_LIB", "SKIFF_LIB",
	}
}

// examineWorker has the worker itself prove its bundle, with its variables as they
// are. Where that fails, it tries with those of the bundle alone, which tells the
// bundle's trouble from the others'.
func (s *settings) examineWorker(ctx context.Context, program string, memory int) []finding {
	known, err := variablesOf(ctx, program)
	if err != nil {
		return []finding{failed("worker", fmt.Errorf("asking %s for its variables: %w", program, err))}
	}
	ctx, cancel := context.WithTimeout(ctx, proofTime)
	defer cancel()
	var line, log bytes.Buffer
	used := 0
	ended := func(process *os.ProcessState) { used = peak(process) }
	_, asIs := s.runWorker(ctx, job{args: []string{"-check"}, stdout: &line, log: &log, ended: ended})
	alone := asIs
	if asIs != nil {
		var without []string
		for _, name := range known {
			if !slices.Contains(bundles(), name) && !strings.HasPrefix(name, "AWS_") {
				without = append(without, name+"=")
			}
		}
		line.Reset()
		log.Reset()
		_, alone = s.runWorker(ctx, job{args: []string{"-check"}, env: without, stdout: &line, log: &log, ended: ended})
	}
	proof := strings.TrimSpace(line.String())
	findings := s.libraries(program, proof, log.String())
	if alone != nil {
		findings = append(findings, failed("bundle", alone))
		used = 0
	} else {
		findings = append(findings, finding{fine, "bundle", proof, ""})
	}
	findings = append(findings, s.memory(used, memory))
	about := s.variables(known)
	if asIs != nil && (alone == nil || asIs.Error() != alone.Error()) {
		about = append([]finding{failed("variables", asIs)}, about...)
	}
	return append(findings, about...)
}

// variablesOf returns the names of the variables in the worker's own help.
func variablesOf(ctx context.Context, program string) ([]string, error) {
	out, err := exec.CommandContext(ctx, program, "-help").CombinedOutput()
	if err != nil {
		return nil, err
	}
	_, usage, _ := strings.Cut(string(out), "\nVariables:\n")
	var names []string
	for _, found := range regexp.MustCompile(`(?m)^  ([A-Z][A-Z0-9_]+)\b`).FindAllStringSubmatch(usage, -1) {
		names = append(names, found[1])
	}
	return names, nil
}

// libraries says where the worker has onnxruntime and skiff's operators from, given
// its proof of the bundle, if there is one, and its log.
func (s *settings) libraries(program, proof, log string) []finding {
	onnxruntime := library.Find(s.getenv("ONNXRUNTIME_LIB"), filepath.Dir(program))
	findings := make([]finding, 0, 2)
	if version := regexp.MustCompile(`onnxruntime ([0-9][0-9.]*)`).FindStringSubmatch(proof); version != nil {
		findings = append(findings, finding{fine, "onnxruntime", version[1] + ", " + onnxruntime, ""})
	} else if isFile(onnxruntime) {
		findings = append(findings, finding{fine, "onnxruntime", onnxruntime, ""})
	} else {
		findings = append(findings, finding{
			wrong, "onnxruntime", onnxruntime + " is not there",
			command.Onnxruntime,
		})
	}
	operators := s.getenv("SKIFF_LIB")
	switch {
	case operators == "none":
		return append(findings, finding{note, "libskiff", "SKIFF_LIB is none: trees are scored slower, to the same bits", ""})
	case slower(log) != nil:
		v := slower(log)
		return append(findings, finding{note, "libskiff", "the bundle is scored slower, to the same bits: " + v.Reason, v.Hint})
	}
	if operators = library.FindOperators(operators, onnxruntime); !isFile(operators) {
		return append(findings, finding{note, "libskiff", operators + " is not there; bundles with trees are scored faster with it", "`make ops` builds it"})
	}
	return append(findings, finding{fine, "libskiff", operators, ""})
}

// slower returns what the worker's log says of why it serves the slower graph, nil
// where it does not.
func slower(log string) *struct{ Reason, Hint string } {
	for line := range strings.Lines(log) {
		var v struct{ Msg, Reason, Hint string }
		if json.Unmarshal([]byte(line), &v) == nil && strings.HasPrefix(v.Msg, "serving the slower graph") {
			return &struct{ Reason, Hint string }{v.Reason, v.Hint}
		}
	}
	return nil
}

// variables says what is strange about those that are set, given those that the
// worker knows.
func (s *settings) variables(known []string) []finding {
	var findings []finding
	about := func(says, hint string) { findings = append(findings, finding{note, "variables", says, hint}) }
	var set []string
	for _, variable := range os.Environ() {
		name, value, _ := strings.Cut(variable, "=")
		switch {
		case value == "":
		case slices.Contains(known, name):
			set = append(set, name)
		default:
			if meant := nearest(name, known); meant != "" {
				about("the worker knows no "+name, "is "+meant+" meant?")
			}
		}
	}
	for _, v := range []struct {
		name    string
		matters bool
		when    string
	}{
		{"MODEL_BUCKET", s.getenv("MODEL_LOCATION") == "", "MODEL_LOCATION is set, which wins"},
		{"MLFLOW_EXPERIMENT_ID", s.getenv("MODEL_BUCKET") != "", "MODEL_BUCKET is not set"},
		{"MODEL_REFRESH_SECONDS", strings.HasPrefix(s.getenv("RUN_ID"), "@"), "RUN_ID is no alias"},
		{"SHADOW_THRESHOLD", s.getenv("SHADOW_RUN_ID") != "", "SHADOW_RUN_ID is not set"},
		{"METRICS_NAMESPACE", s.getenv("METRICS") == "emf", "METRICS is not emf"},
	} {
		if s.getenv(v.name) != "" && !v.matters {
			about(v.name+" does nothing: "+v.when, "")
		}
	}
	if len(findings) > 0 {
		return findings
	}
	slices.Sort(set)
	return []finding{{fine, "variables", cmp.Or(strings.Join(set, ", "), "none is set"), ""}}
}

// nearest returns the known name that is at most two letters from another name,
// or "". Those of AWS's SDK are its own.
func nearest(name string, known []string) string {
	const least = 6 // letters: of shorter ones anything is near
	if len(name) < least || strings.HasPrefix(name, "AWS_") {
		return ""
	}
	for _, k := range known {
		if distance(name, k) <= 2 {
			return k
		}
	}
	return ""
}

// distance returns how many letters are to be put in, left out or replaced to make
// one of the other.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}
