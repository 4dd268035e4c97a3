package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// counts are the numbers of the worker's last two lines.
type counts struct {
	Msg, RequestID string
	UnderWay       int `json:"under_way"`
	Finished       int
	OutOfTime      int `json:"out_of_time"`
	HandedBack     int `json:"handed_back"`
}

// logged are the lines of a log, as far as they are of interest here.
func logged(t *testing.T, log string) string {
	t.Helper()
	var lines []string
	for line := range strings.Lines(log) {
		var c counts
		if err := json.Unmarshal([]byte(line), &c); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		switch c.Msg {
		case "stopping":
			line = fmt.Sprintf("stopping with %d under way", c.UnderWay)
		case "stopped":
			line = fmt.Sprintf("stopped: %d finished, %d out of time, %d handed back", c.Finished, c.OutOfTime, c.HandedBack)
		default:
			line = strings.TrimSpace(c.Msg + " " + c.RequestID)
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

// In Lambda, what is under way at SIGTERM is published once and answered, and
// what comes then is handed back.
func TestSIGTERMInLambda(t *testing.T) {
	for name, test := range map[string]struct {
		concurrency string
		late        bool // another comes after the signal
		want        string
	}{
		"one":         {"", false, "ready\nstopping with 1 under way\ninvocation request1\nstopped: 1 finished, 0 out of time, 0 handed back"},
		"another one": {"2", true, "ready\nstopping with 1 under way\ninvocation request1\nstopped: 1 finished, 0 out of time, 1 handed back"},
	} {
		t.Run(name, func(t *testing.T) {
			kinesis, api := newStream(t), newRuntimeAPI(t, readFile(t, tutorialEvent))
			cmd := workerCommand(t)
			cmd.Env = append(cmd.Env, "KINESIS_ENDPOINT_URL="+kinesis.URL, "AWS_LAMBDA_RUNTIME_API="+strings.TrimPrefix(api.URL, "http://"),
				"AWS_LAMBDA_MAX_CONCURRENCY="+test.concurrency)
			w := startWorker(t, cmd)
			api.invoke(t, "request1")
			receive(t, kinesis.putting, "PutRecords")
			w.terminate(t)
			w.logs(t, `"msg":"stopping"`)
			if test.late {
				api.invoke(t, "request2")
				const want = `request2 error {"errorMessage":"the worker is stopping","errorType":"Worker.Error"}`
				if got := receive(t, api.answers, "answer"); got != want {
					t.Errorf("answered %s, want %s", got, want)
				}
			}
			close(kinesis.release)
			const want = `request1 response {"predictions":[{"model":`
			if got := receive(t, api.answers, "answer"); !strings.HasPrefix(got, want) || strings.Contains(got, "batchItemFailures") {
				t.Errorf("answered %s, want %s", got, want)
			}
			w.end(t, 0)
			if got := kinesis.taken(); got != "156" {
				t.Errorf("published %q", got)
			}
			if got := logged(t, w.stderr.String()); got != test.want {
				t.Errorf("logged\n%s\nwant\n%s", got, test.want)
			}
		})
	}
}

// With nothing under way it ends, with the same two lines.
func TestSIGTERMBetweenInvocations(t *testing.T) {
	kinesis, api := newStream(t), newRuntimeAPI(t, readFile(t, tutorialEvent))
	close(kinesis.release)
	cmd := workerCommand(t)
	cmd.Env = append(cmd.Env, "KINESIS_ENDPOINT_URL="+kinesis.URL, "AWS_LAMBDA_RUNTIME_API="+strings.TrimPrefix(api.URL, "http://"))
	w := startWorker(t, cmd)
	api.invoke(t, "request1")
	receive(t, api.answers, "answer")
	receive(t, api.asked, "question for the next")
	receive(t, api.asked, "question for the next")
	w.terminate(t)
	w.end(t, 0)
	const want = "ready\ninvocation request1\nstopping with 0 under way\nstopped: 0 finished, 0 out of time, 0 handed back"
	if got := logged(t, w.stderr.String()); got != want {
		t.Errorf("logged\n%s\nwant\n%s", got, want)
	}
}

func TestSIGTERMWhileListening(t *testing.T) {
	kinesis := newStream(t)
	cmd := workerCommand(t, "-listen", "127.0.0.1:0")
	cmd.Env = append(cmd.Env, "KINESIS_ENDPOINT_URL="+kinesis.URL)
	w := startWorker(t, cmd)
	var listening struct{ Address string }
	if err := json.Unmarshal([]byte(w.logs(t, `"msg":"listening"`)), &listening); err != nil {
		t.Fatal(err)
	}
	answers := make(chan string, 1)
	go func() {
		response, err := http.Post("http://"+listening.Address+"/2015-03-31/functions/function/invocations", "", //nolint:noctx // a test
			strings.NewReader(string(readFile(t, tutorialEvent))))
		if err != nil {
			answers <- err.Error()
			return
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		answers <- fmt.Sprint(response.StatusCode, err, string(body))
	}()
	receive(t, kinesis.putting, "PutRecords")
	w.terminate(t)
	w.logs(t, `"msg":"stopping"`)
	close(kinesis.release)
	if got := receive(t, answers, "answer"); !strings.HasPrefix(got, `200 <nil>{"predictions":[{"model":`) {
		t.Errorf("answered %s", got)
	}
	w.end(t, 0)
	if got := kinesis.taken(); got != "156" {
		t.Errorf("published %q", got)
	}
	const want = "ready\nlistening\nstopping with 1 under way\ninvocation\nstopped: 1 finished, 0 out of time, 0 handed back"
	if got := logged(t, w.stderr.String()); got != want {
		t.Errorf("logged\n%s\nwant\n%s", got, want)
	}
}

// An event on the command line is told at once what is not published.
func TestSIGTERMDuringAnEvent(t *testing.T) {
	kinesis := newStream(t)
	cmd := workerCommand(t, "-event", tutorialEvent)
	cmd.Env = append(cmd.Env, "KINESIS_ENDPOINT_URL="+kinesis.URL)
	w := startWorker(t, cmd)
	receive(t, kinesis.putting, "PutRecords")
	w.terminate(t)
	w.end(t, 1)
	if got := w.stdout.String(); !strings.HasSuffix(got, `"batchItemFailures":[{"itemIdentifier":"`+tutorialSequence+`"}]}`+"\n") {
		t.Errorf("answered %s", got)
	}
	const want = "\nworker: error: terminated signal received: 1 of 1 records are not dealt with, the first: "
	if log := w.stderr.String(); !strings.Contains(log, want) || strings.Contains(log, "stopping") {
		t.Errorf("logged %s", log)
	}
	if got := kinesis.taken(); got != "" {
		t.Errorf("published %q", got)
	}
}
