package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// eventOf is an event of records, which came 5 s ago.
func eventOf(records ...string) string {
	var all []string
	for i, record := range records {
		all = append(all, fmt.Sprintf(`{"eventID":"shardId-000000000000:%d","kinesis":{"sequenceNumber":"%d","partitionKey":"k","approximateArrivalTimestamp":%d.5,"data":%q}}`,
			i, i, time.Now().Unix()-5, base64.StdEncoding.EncodeToString([]byte(record))))
	}
	return `{"Records":[` + strings.Join(all, ",") + `]}`
}

// Three rides: one of a pair that training had not, one that is bad.
func threeRides() string {
	return eventOf(`{"ride":{"PULocationID":236,"DOLocationID":162,"trip_distance":2.28},"ride_id":1}`,
		`{"ride":{"PULocationID":130,"DOLocationID":9999,"trip_distance":3.66},"ride_id":2}`, `{}`)
}

// With METRICS=emf an invocation's numbers are a line beside its own.
func TestMetricsAreALine(t *testing.T) {
	file := filepath.Join(t.TempDir(), "event.json")
	if err := os.WriteFile(file, []byte(threeRides()), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, metrics := range []string{"emf", ""} {
		cmd := workerCommand(t, "-event", file)
		cmd.Env = append(cmd.Env, "TEST_RUN=True", "METRICS="+metrics, "METRICS_NAMESPACE=Rides", "AWS_LAMBDA_FUNCTION_NAME=worker")
		w := startWorker(t, cmd)
		w.end(t, 1) // a record is not dealt with
		var found []map[string]any
		for line := range strings.Lines(w.stderr.String()) {
			var document map[string]any
			if strings.HasPrefix(line, `{"_aws"`) && json.Unmarshal([]byte(line), &document) == nil {
				found = append(found, document)
			}
		}
		if metrics == "" {
			if len(found) > 0 {
				t.Errorf("off, it wrote %v", found)
			}
			continue
		}
		if len(found) != 1 {
			t.Fatalf("%d lines of metrics: %s", len(found), &w.stderr)
		}
		m := found[0]
		for name, want := range map[string]any{
			"Records": 3.0, "Predictions": 2.0, "Rejected": 1.0, "DeadLetters": 0.0, "Unsent": 0.0, "Retries": 0.0,
			"UnknownCategories": 1.0, "UnknownCategories.PU_DO": 1.0, "MissingValues": 0.0, "FunctionName": "worker",
		} {
			if m[name] != want {
				t.Errorf("%s is %v, want %v", name, m[name], want)
			}
		}
		for _, name := range []string{"DecodeTime", "EncodeTime", "ScoreTime", "RespondTime", "ModelAge", "IteratorAge"} {
			if value, ok := m[name].(float64); !ok || value <= 0 {
				t.Errorf("%s is %v", name, m[name])
			}
		}
	}
}

// With -listen there are pages: Prometheus's, and one that says that it serves.
func TestPages(t *testing.T) {
	cmd := workerCommand(t, "-listen", "127.0.0.1:0")
	cmd.Env = append(cmd.Env, "TEST_RUN=True", "REPORT_BATCH_ITEM_FAILURES=True")
	w := startWorker(t, cmd)
	var listening struct{ Address string }
	if err := json.Unmarshal([]byte(w.logs(t, `"listening"`)), &listening); err != nil {
		t.Fatal(err)
	}
	ask := func(method, path, body string) string {
		request, err := http.NewRequestWithContext(t.Context(), method, "http://"+listening.Address+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		if err != nil || response.StatusCode != http.StatusOK {
			t.Fatal(response.Status, err)
		}
		return string(text)
	}
	for range 2 {
		ask(http.MethodPost, "/2015-03-31/functions/function/invocations", threeRides())
	}
	text := ask(http.MethodGet, "/metrics", "")
	for _, line := range []string{
		"skiff_records_total 6\n", "skiff_predictions_total 4\n", "skiff_rejected_total 2\n", `skiff_unknown_categories_total{column="PU_DO"} 2` + "\n",
		`skiff_invocations_total{result="success"} 2` + "\n", `skiff_model_info{run_id="`, "skiff_batch_records 3\n", "skiff_model_age_seconds ", "skiff_iterator_age_seconds ",
	} {
		if !strings.Contains(text, line) {
			t.Errorf("without %s:\n%s", line, text)
		}
	}
	if health := ask(http.MethodGet, "/health", ""); !strings.Contains(health, `"status":"serving"`) || !strings.Contains(health, `"run_id":"`) {
		t.Errorf("health is %s", health)
	}
	w.terminate(t)
	w.end(t, 0)
}
