package main

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/skiff-ml/skiff/inference/drift"
)

// driftLine reads counts in a line.
func driftLine(t *testing.T, line string) *drift.Counts {
	t.Helper()
	var v struct{ Drift *drift.Counts }
	if err := json.Unmarshal([]byte(line), &v); err != nil || v.Drift == nil {
		t.Fatalf("%v: %s", err, line)
	}
	return v.Drift
}

// With -listen there is a page of what was counted; when the worker stops the log
// has it.
func TestDriftPage(t *testing.T) {
	cmd := workerCommand(t, "-listen", "127.0.0.1:0")
	cmd.Env = append(cmd.Env, "TEST_RUN=True", "REPORT_BATCH_ITEM_FAILURES=True", "DRIFT=words")
	w := startWorker(t, cmd)
	ask := w.listens(t)
	if page := ask(http.MethodGet, "/drift", ""); page != "" {
		t.Errorf("before anything came: %s", page)
	}
	for range 2 {
		ask(http.MethodPost, "/2015-03-31/functions/function/invocations", threeRides())
	}
	check := func(lines string) {
		t.Helper()
		var all *drift.Counts
		for line := range strings.Lines(lines) {
			if c := driftLine(t, line); all == nil {
				all = c
			} else {
				all.Add(c) // the clock struck
			}
		}
		if all == nil || all.Records != 4 || all.Rejected != 2 || all.Columns[0].Unknown != 2 || all.Columns[0].Counts[0] != 2 {
			t.Fatalf("got %+v", all)
		}
		if words := all.Columns[0].Words; len(words) != 1 || words[0] != (drift.Word{Text: "130_9999", N: 2}) {
			t.Errorf("words are %+v", words)
		}
		predictions := 0
		for _, n := range all.Outputs[0] {
			predictions += n
		}
		if predictions != 4 {
			t.Errorf("predictions are %v", all.Outputs)
		}
	}
	check(ask(http.MethodGet, "/drift", ""))
	w.terminate(t)
	w.end(t, 0)
	told := ""
	for line := range strings.Lines(w.stderr.String()) {
		if strings.Contains(line, `"msg":"drift"`) {
			told += line
		}
	}
	check(told)
}

// What a model has counted is told when another replaces it, and when the worker
// stops; without DRIFT nothing is.
func TestDriftOfASwap(t *testing.T) {
	for _, on := range []string{"on", ""} {
		s := newShelf(t)
		s.promote(t, s.runs.Linear)
		w, api := s.startWith(t, threeRides(), "RUN_ID=@champion", "MODEL_REFRESH_SECONDS=0.000001", "REPORT_BATCH_ITEM_FAILURES=True", "DRIFT="+on)
		api.versions(t, "1")
		s.promote(t, s.runs.Forest)
		api.versions(t, "2") // and then it looks
		w.logs(t, `"model changed"`)
		api.versions(t, "3")
		w.terminate(t)
		w.end(t, 0)
		records := map[string]int{}
		for line := range strings.Lines(w.stderr.String()) {
			if strings.Contains(line, `"msg":"drift"`) {
				c := driftLine(t, line)
				records[c.RunID] += c.Records
			}
		}
		if on == "" {
			if len(records) > 0 || strings.Contains(w.stderr.String(), "drift") {
				t.Errorf("off, it logged %s", &w.stderr)
			}
			continue
		}
		if records[s.runs.Linear] != 4 || records[s.runs.Forest] != 2 {
			t.Errorf("counted %v: %s", records, &w.stderr)
		}
	}
}
