package main

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/skiff-ml/skiff/cmd/internal/page"
)

// what is what the page says, as far as is looked at here.
type what struct {
	Models     []page.Model
	Totals     struct{ Records, Failed int }
	Predicted  []page.Predicted
	Rejections []page.Rejected
	Failures   []page.Failure
}

func saysOf(t *testing.T, p *page.Page) what {
	t.Helper()
	answer := httptest.NewRecorder()
	p.Handlers()["GET /live"](answer, nil)
	var w what
	if err := json.Unmarshal(answer.Body.Bytes(), &w); err != nil {
		t.Fatal(err)
	}
	return w
}

// The page shows what the worker's log says, in whatever parts it comes.
func TestLogReader(t *testing.T) {
	lines := `not JSON
{"time":"2026-01-02T03:04:05Z","level":"INFO","msg":"ready","run_id":"r1","estimator":"e","alias":"@champion"}
{"_aws":{"Timestamp":1767323045000},"run_id":"r1","Records":7,"Predictions":6}
{"time":"2026-01-02T03:04:06Z","level":"WARN","msg":"record rejected","run_id":"r1","reason":"wrong_type","field":"ride.trip_distance","id":"157","dead_lettered":true}
{"time":"2026-01-02T03:04:07Z","level":"ERROR","msg":"invocation failed","error":"no such stream"}
` + strings.Repeat("x", 3*maxLogLine) + `
{"time":"2026-01-02T03:04:08Z","level":"INFO","msg":"model changed","run_id":"r2","estimator":"f"}
{"time":"2026-01-02T03:04:09Z","level":"WARN","msg":"model not changed","error":"checksum"}
`
	for _, size := range []int{1, 1000, len(lines)} {
		file := filepath.Join(t.TempDir(), "worker.log")
		p := page.New("test", true)
		r := &logReader{file: file, page: p}
		r.read() // there is none yet
		for at := 0; at < len(lines); {
			part := lines[at:min(at+max(size, len(lines)/500), len(lines))]
			f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := f.WriteString(part); err != nil {
				t.Fatal(err)
			}
			if err := f.Close(); err != nil {
				t.Fatal(err)
			}
			r.read()
			at += len(part)
		}
		got := saysOf(t, p)
		if len(got.Models) != 2 || got.Models[0].RunID != "r2" || got.Models[1].Alias != "@champion" || got.Models[1].Estimator != "e" {
			t.Errorf("models %+v", got.Models)
		}
		if got.Totals.Records != 7 || got.Totals.Failed != 1 {
			t.Errorf("totals %+v", got.Totals)
		}
		if len(got.Rejections) != 1 || got.Rejections[0].Field != "ride.trip_distance" || !got.Rejections[0].DeadLettered {
			t.Errorf("rejections %+v", got.Rejections)
		}
		if len(got.Failures) != 2 || got.Failures[1].Text != "invocation failed: no such stream" {
			t.Errorf("failures %+v", got.Failures)
		}
	}
}

// Each prediction is shown with its record, the last ones of an invocation first.
func TestWatcher(t *testing.T) {
	const event = `{"Records":[
		{"kinesis":{"data":"eyJhIjoxLCJpZCI6MX0="}}, {"kinesis":{"data":"AAAA"}}, {"kinesis":{"data":"eyJhIjoyLCJpZCI6Mn0="}}]}`
	const answer = `{"predictions":[{"version":"r","prediction":{"y":0.5,"id":1}},{"version":"r","prediction":{"y":1.5,"id":9}},{"version":"r","prediction":{"y":2.5,"id":2}}]}`
	p := page.New("test", true)
	watcher{p, "id", []string{"id"}}.show([]byte(event), []byte(answer), time.Now())
	got := saysOf(t, p).Predicted
	if len(got) != 3 || len(got[0].Record) != 2 || got[0].Record[0].Text != "2" || got[0].Prediction[0].Text != "2.5" || got[1].Record != nil || got[2].Record[0].Text != "1" {
		t.Errorf("shown: %+v", got)
	}
	watcher{p, "id", []string{"id"}}.show([]byte("{"), []byte(answer), time.Now())
	if again := saysOf(t, p).Predicted; len(again) != 3 {
		t.Errorf("of no event: %+v", again)
	}
}

// Only this machine is shown the page, by its own names.
func TestPageIsThisMachines(t *testing.T) {
	for address, ok := range map[string]bool{
		"127.0.0.1:8090": true, "localhost:0": true, "[::1]:80": true,
		":8090": false, "0.0.0.0:8090": false, "10.0.0.1:8090": false, "example.com:80": false, "8090": false,
	} {
		if err := checkPage(address); (err == nil) != ok {
			t.Errorf("%s: %v", address, err)
		}
	}
	s := settings{page: "127.0.0.1:0"}
	live, err := openPage(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	defer live.close()
	for host, status := range map[string]int{"": 200, "localhost": 200, "rebound.example:80": 403} {
		request, err := http.NewRequestWithContext(context.Background(), http.MethodGet, live.url, nil)
		if err != nil {
			t.Fatal(err)
		}
		if host != "" {
			request.Host = host
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		if err := response.Body.Close(); err != nil {
			t.Fatal(err)
		}
		if response.StatusCode != status {
			t.Errorf("asked as %q: %s", host, response.Status)
		}
	}
}
