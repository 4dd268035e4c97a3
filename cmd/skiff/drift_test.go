package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/skiff-ml/skiff/inference/drift"
)

// What the shipped runs do not have: labels, NaN, many columns, and words that
// would do something to a terminal or to a page.
func TestPrintDrift(t *testing.T) {
	line := func(name string, psi float64) drift.Line {
		return drift.Line{Name: name, Kind: "number", PSI: psi, Missing: &drift.Shares{Was: 0.25, Now: 0.5}, Null: &drift.Shares{}, Edges: []float64{1, 2}, Was: []int{1, 2, 3, 4}, Is: make([]int, 4), Verdict: drift.TooFew}
	}
	evil := line("<script>\x1b[2J", 0.5)
	evil.Words = []drift.Word{{Text: "</p><script>alert(1)</script>", N: 7, Over: 2}, {Text: "\x1b[2J", N: 1}}
	r := &drift.Report{
		RunID: "run1", Model: "rides", Verdict: drift.Changed, Columns: []drift.Line{evil},
		Outputs: []drift.Line{{Name: "late", Kind: "label", Labels: []string{"no", "yes"}, Was: []int{3, 1}, Is: []int{2, 2}, Verdict: drift.Stable}},
	}
	for i := range maxColumns {
		r.Columns = append(r.Columns, line(fmt.Sprint("c", i), float64(i)/100))
	}
	var text strings.Builder
	if err := printDrift(&text, r); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"25.0 % -> 50.0 %", `"<script>\x1b[2J"`, `</p><script>alert(1)</script> (5), "\x1b[2J" (1)`, "… and 2 more, which --json has", "changed: the largest PSI"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("without %s:\n%s", want, &text)
		}
	}
	if strings.Contains(text.String(), "\x1b") {
		t.Error("the terminal is told something")
	}
	if first := strings.Index(text.String(), "script"); first > strings.Index(text.String(), "c49") {
		t.Error("the worst is not the first")
	}
	name := filepath.Join(t.TempDir(), "page.html")
	if err := writePage(name, r); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"<title>below 1: 10.0 %", "<title>from 1 to 2: 20.0 %", "<title>from 2 on: 30.0 %", "<title>NaN: 40.0 %", "<title>yes: 25.0 % -> 50.0 %", "&lt;script&gt;"} {
		if !strings.Contains(string(page), want) {
			t.Errorf("the page is without %s", want)
		}
	}
	if strings.Contains(string(page), "<script") {
		t.Error("the page has a script")
	}
	if err := failAbove(r, 0.25); err != nil {
		t.Errorf("too few fail: %v", err)
	}
}
