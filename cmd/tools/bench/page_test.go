//go:build integration

package main

import (
	"bytes"
	"flag"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/skiff-ml/skiff/cmd/tools/internal/browser"
	"github.com/skiff-ml/skiff/cmd/tools/internal/measuring"
)

var screenshot = flag.String("screenshot", "", "the file of a picture of the page")

// The page fits a phone and a desktop, light and dark, and asks for nothing.
func TestPage(t *testing.T) {
	r := &Report{
		RunID: strings.Repeat("0123456789abcdef", 2), Estimator: "RandomForestRegressor", Lowering: "table", CPU: "a processor with a long name @ 2.80GHz", OS: "linux/amd64",
		GOMAXPROCS: 1, Threads: 1, Go: "go1.26", ONNXRuntime: "1.32.0", Records: 1000, Repetitions: 10, Recommended: Recommendation{Batch: 1000, Why: "it is the cheapest"},
	}
	for batch := 1; batch <= 10_000; batch *= 10 {
		ns := 1700 + 90_000/float64(batch)
		r.Results = append(r.Results, Result{
			Batch: batch, Payload: 450 * batch, Invocations: 100, Record: measuring.Spread{Median: ns, Min: ns * 0.96, Max: ns * 1.1, N: 10},
			Stages: Stages{Decode: 900, Encode: 300, Score: 200, Respond: 150, Publish: 150},
		})
	}
	r.Costs = costs(r.Results)
	r.Beside = &Beside{Batch: 1000, Off: measuring.Spread{Median: 900, N: 750}, Added: []Added{{With: "DRIFT=on", Record: measuring.Spread{Median: 905, N: 750}, Percent: 0.6}}}
	r.Serving = &Serving{Records: 1_000_000, Batch: 1000, CPUPerRec: 5, WallPerRec: 9, RSS: 90, PeakRSS: 120}
	var html bytes.Buffer
	if err := writeHTML(&html, r); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		if request.URL.Path != "/" {
			http.NotFound(w, request)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write(html.Bytes())
	}))
	defer server.Close()
	tab := browser.Start(t).Open(t, server.URL)
	tab.Shows("body", "Batch sizes compared", "RandomForestRegressor as table", "Use batches of 1000")
	if !tab.Has("svg") {
		t.Error("there are no plots")
	}
	tab.Fits()
	tab.Keeps(server.URL)
	if *screenshot != "" {
		tab.Size(1280, 800, "light")
		tab.Screenshot(*screenshot+"-wide.png", true)
		tab.Size(360, 800, "dark")
		tab.Screenshot(*screenshot+"-narrow.png", true)
	}
}
