package main

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
)

// startWith starts the worker in Lambda with the linear run, an event to hand
// out, and more variables.
func (s *shelf) startWith(t *testing.T, event string, env ...string) (*running, *runtimeAPI) {
	t.Helper()
	api := newRuntimeAPI(t, []byte(event))
	cmd := workerCommand(t)
	cmd.Dir = s.dir
	cmd.Env = append(append(cmd.Env, "MODEL_LOCATION=", "TEST_RUN=True",
		"AWS_LAMBDA_RUNTIME_API="+strings.TrimPrefix(api.URL, "http://"), "_HANDLER=bootstrap"), env...)
	return startWorker(t, cmd), api
}

// answer invokes the worker and returns the versions of its predictions.
func (api *runtimeAPI) versions(t *testing.T, id string) []string {
	t.Helper()
	api.invoke(t, id)
	_, body, found := strings.Cut(receive(t, api.answers, "answer"), " response ")
	var answer struct{ Predictions []struct{ Version string } }
	if !found || json.Unmarshal([]byte(body), &answer) != nil {
		t.Fatalf("answered %s", body)
	}
	var versions []string
	for _, p := range answer.Predictions {
		versions = append(versions, p.Version)
	}
	return versions
}

const aRide = `{"ride":{"PULocationID":236,"DOLocationID":162,"trip_distance":2.28},"ride_id":%d}`

// A shadow predicts what the run that serves has published, and only how far it
// differs is told: in the log, and in the metrics.
func TestShadow(t *testing.T) {
	s := newShelf(t)
	w, api := s.startWith(t, eventOf(fmt.Sprintf(aRide, 1), fmt.Sprintf(aRide, 2)), "SHADOW_RUN_ID="+s.runs.Forest, "SHADOW_THRESHOLD=0.5", "METRICS=emf")
	for id := range 2 {
		if got := api.versions(t, fmt.Sprint(id)); len(got) != 2 || got[0] != s.runs.Linear || got[1] != s.runs.Linear {
			t.Errorf("predictions of %v", got)
		}
		if id == 0 {
			w.logs(t, `"shadow ready"`)
		}
	}
	w.terminate(t)
	w.end(t, 0)
	const difference = 15.386596482840584 - 14.594111351870303 // what both predict of that ride
	told := 0
	for line := range strings.Lines(w.stderr.String()) {
		var said struct {
			Msg           string
			ShadowRunID   string `json:"shadow_run_id"`
			Records       int
			Mean, P99     float64
			BeyondShare   float64 `json:"beyond_share"`
			Metric        float64 `json:"ShadowDifferenceMean"`
			ShadowRecords int
		}
		if err := json.Unmarshal([]byte(line), &said); err != nil {
			t.Fatal(err)
		}
		if said.Msg == "shadow" {
			told++
			if said.ShadowRunID != s.runs.Forest || said.Records != 2 || math.Abs(said.Mean-difference) > 1e-12 || said.P99 != said.Mean || said.BeyondShare != 1 {
				t.Errorf("it said %s", line)
			}
		}
		if said.ShadowRecords > 0 {
			told++
			if math.Abs(said.Metric-difference) > 1e-12 || !strings.Contains(line, `"ShadowBeyondShare":100`) {
				t.Errorf("measured %s", line)
			}
		}
	}
	if told != 2 {
		t.Errorf("it was told %d times, want once in the log and once as metrics: %s", told, &w.stderr)
	}
}

// What cannot be loaded beside it is said once, and the run that serves serves
// all.
func TestCompanionsThatAreBroken(t *testing.T) {
	s := newShelf(t)
	s.change(t, s.runs.Forest, "model.onnx", func(text string) string { return text + "x" })
	for variable, what := range map[string]string{"SHADOW_RUN_ID=" + s.runs.Forest: "shadow", "CANARY=" + s.runs.Forest + ":100": "canary", "CANARY=missing:50": "canary"} {
		w, api := s.startWith(t, eventOf(fmt.Sprintf(aRide, 1)), variable)
		for id := range 3 {
			if got := api.versions(t, fmt.Sprint(id)); len(got) != 1 || got[0] != s.runs.Linear {
				t.Errorf("%s: predictions of %v", variable, got)
			}
		}
		w.terminate(t)
		w.end(t, 0)
		if text := w.stderr.String(); strings.Count(text, `"no `+what+`"`) != 1 || !strings.Contains(text, `"hint":"`) {
			t.Errorf("%s: it said %s", variable, text)
		}
	}
}

// A canary predicts the share of the keys that it is given, the same ones each
// time; 100 % are all.
func TestCanary(t *testing.T) {
	s := newShelf(t)
	var records []string
	for i := range 200 {
		records = append(records, fmt.Sprintf(aRide, i))
	}
	event := eventOf(records...)
	for i := range records { // a key each
		event = strings.Replace(event, `"partitionKey":"k"`, fmt.Sprintf(`"partitionKey":"key%d"`, i), 1)
	}
	for share, want := range map[string][2]int{"0": {0, 0}, "25": {25, 75}, "100": {200, 200}} {
		w, api := s.startWith(t, event, "CANARY="+s.runs.Forest+":"+share)
		first := api.versions(t, "1")
		second := api.versions(t, "2")
		n := 0
		for i, version := range first {
			if version != second[i] {
				t.Errorf("%s %%: key %d is of run %s, then of %s", share, i, version, second[i])
			}
			if version == s.runs.Forest {
				n++
			}
		}
		if len(first) != 200 || n < want[0] || n > want[1] {
			t.Errorf("%s %%: %d of %d are the canary's", share, n, len(first))
		}
		w.terminate(t)
		w.end(t, 0)
		if !strings.Contains(w.stderr.String(), `"canary ready"`) {
			t.Errorf("it said %s", &w.stderr)
		}
	}
}

// The model that serves is changed beside its canary.
func TestChangesBesideACanary(t *testing.T) {
	s := newShelf(t)
	s.promote(t, s.runs.Linear)
	event := strings.Replace(eventOf(fmt.Sprintf(aRide, 1)), `"partitionKey":"k"`, `"partitionKey":"1"`, 1) // no key of the canary's
	w, api := s.startWith(t, event, "RUN_ID=@champion", "CANARY="+s.runs.Linear+":50", "MODEL_REFRESH_SECONDS=0.000001")
	api.versions(t, "1")
	s.promote(t, s.runs.Forest)
	api.versions(t, "2")
	w.logs(t, `"model changed"`)
	if got := api.versions(t, "3"); len(got) != 1 || got[0] != s.runs.Forest {
		t.Errorf("predictions of %v", got)
	}
	w.terminate(t)
	w.end(t, 0)
}
