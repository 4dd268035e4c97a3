package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
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

// What a stream does not take at once, and the dead letters that their target
// confirmed, are measured as well.
func TestMetricsOfWhatIsPublished(t *testing.T) {
	var mu sync.Mutex
	calls := map[string]int{}
	kinesis := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var put struct {
			StreamName string
			Records    []json.RawMessage
		}
		if err := json.NewDecoder(r.Body).Decode(&put); err != nil {
			t.Error(err)
		}
		mu.Lock()
		defer mu.Unlock()
		calls[put.StreamName]++
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		if put.StreamName == "ride_predictions" && calls[put.StreamName] == 1 {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, `{"__type": "ProvisionedThroughputExceededException", "message": "Rate exceeded"}`)
			return
		}
		answers := make([]string, len(put.Records))
		for i := range answers {
			answers[i] = `{"SequenceNumber":"1","ShardId":"shardId-000000000000"}`
		}
		fmt.Fprintf(w, `{"FailedRecordCount":0,"Records":[%s]}`, strings.Join(answers, ","))
	}))
	defer kinesis.Close()
	cmd := workerCommand(t, "-event", "-")
	cmd.Stdin = strings.NewReader(threeRides())
	cmd.Env = append(cmd.Env, "METRICS=emf", "KINESIS_ENDPOINT_URL="+kinesis.URL, "DEAD_LETTER=kinesis://letters")
	w := startWorker(t, cmd)
	w.end(t, 0)
	for line := range strings.Lines(w.stderr.String()) {
		var m map[string]any
		if !strings.HasPrefix(line, `{"_aws"`) || json.Unmarshal([]byte(line), &m) != nil {
			continue
		}
		for name, want := range map[string]any{
			"Records": 3.0, "Predictions": 2.0, "Rejected": 1.0, "DeadLetters": 1.0, "DeadLetters.missing_field": 1.0, "Retries": 2.0, "Unsent": 0.0,
		} {
			if m[name] != want {
				t.Errorf("%s is %v, want %v", name, m[name], want)
			}
		}
		if value, ok := m["PublishTime"].(float64); !ok || value <= 0 {
			t.Errorf("PublishTime is %v", m["PublishTime"])
		}
		return
	}
	t.Errorf("no line of metrics: %s", &w.stderr)
}

// An alias that stands for something that is not served is measured, until that
// is mended.
func TestMetricsOfAnAlias(t *testing.T) {
	s := newShelf(t)
	s.promote(t, s.runs.Linear)
	w, api := s.startWith(t, threeRides(), "RUN_ID=@champion", "MODEL_REFRESH_SECONDS=0.000001", "METRICS=emf", "REPORT_BATCH_ITEM_FAILURES=True")
	behind := func(id, want string) {
		api.versions(t, id)
		if line := w.logs(t, `"_aws"`); !strings.Contains(line, `"ModelBehind":`+want+",") && !strings.Contains(line, `"ModelBehind":`+want+"}") {
			t.Errorf("%s: measured %s", id, line)
		}
	}
	behind("1", "0")
	s.promote(t, "missing")
	behind("2", "0") // it looks afterwards
	w.logs(t, `"model not changed"`)
	behind("3", "1")
	s.promote(t, s.runs.Linear)
	api.versions(t, "4")
	api.versions(t, "5") // one of the two has looked, whatever it waited
	w.terminate(t)
	w.end(t, 0)
	if text := w.stderr.String(); !strings.Contains(text[strings.LastIndex(text, `"_aws"`):], `"ModelBehind":0`) {
		t.Errorf("it ends with %s", text[strings.LastIndex(text, `"_aws"`):])
	}
}

// With -listen there are pages: Prometheus's, and one that says that it serves.
func TestPages(t *testing.T) {
	cmd := workerCommand(t, "-listen", "127.0.0.1:0")
	cmd.Env = append(cmd.Env, "TEST_RUN=True", "REPORT_BATCH_ITEM_FAILURES=True")
	w := startWorker(t, cmd)
	ask := w.listens(t)
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
