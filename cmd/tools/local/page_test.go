//go:build integration

package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/skiff-ml/skiff/cmd/internal/lambdatest/ministack"
	"github.com/skiff-ml/skiff/cmd/internal/localstate"
	"github.com/skiff-ml/skiff/cmd/internal/page"
	"github.com/skiff-ml/skiff/cmd/tools/internal/browser"
	"github.com/skiff-ml/skiff/cmd/tools/internal/taxi"
	"github.com/skiff-ml/skiff/inference/observe"
)

var screenshot = flag.String("screenshot", "", "the file of the picture that TestScreenshot makes")

// Records, and what the page has to show of them.
const (
	goodRide    = `{"ride": {"PULocationID": 236, "DOLocationID": 162, "trip_distance": 2.28}, "ride_id": 156}`
	badRideText = `{"ride": {"PULocationID": 236, "DOLocationID": 162, "trip_distance": "far"}, "ride_id": 157}`
	unknownRide = `{"ride": {"PULocationID": 130, "DOLocationID": 9999, "trip_distance": 3.66}, "ride_id": 158}`
)

// An upStack is a local stack that make's programs have left running, with a page.
type upStack struct {
	root           string
	runs           map[string]string
	endpoint, page string
	env            []string // of programs that use it
	server         *ministack.Server
}

// startUp starts one, behind the alias champion.
func startUp(t *testing.T) *upStack {
	t.Helper()
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	runs, err := taxi.ReadRuns(filepath.Join(root, "models/taxi/runs.json"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	local := func(ctx context.Context, args ...string) (string, error) {
		cmd := exec.CommandContext(ctx, filepath.Join(root, ".build/bin/local"), append(args, "-dir", dir)...)
		cmd.Env = append(os.Environ(), "ONNXRUNTIME_LIB="+filepath.Join(root, ".build/lib/libonnxruntime.so"))
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	t.Cleanup(func() {
		if out, err := local(context.Background(), "down"); err != nil {
			t.Errorf("down: %v: %s", err, out)
		}
	})
	out, err := local(t.Context(), "up", "-run-id", runs["forest"], "-worker", filepath.Join(root, ".build/bin/worker"),
		"-model", filepath.Join(root, "models", runs["forest"]), "-ministack", filepath.Join(root, ".build/venv/bin/ministack"),
		"-port", "0", "-alias", "champion", "-page", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("up: %v: %s", err, out)
	}
	found := regexp.MustCompile(`(?s)Kinesis and S3   (\S+).*\n  page             (\S+)\n`).FindStringSubmatch(out)
	if found == nil {
		t.Fatalf("up says nothing of a page: %s", out)
	}
	s := &upStack{root: root, runs: runs, endpoint: found[1], page: found[2], server: ministack.Connect(found[1])}
	s.env = []string{
		"AWS_ENDPOINT_URL=" + s.endpoint, "AWS_REGION=" + ministack.Region, "AWS_ACCESS_KEY_ID=" + ministack.AccessKey,
		"AWS_SECRET_ACCESS_KEY=" + ministack.AccessKey, "MODEL_BUCKET=" + localstate.ModelBucket, "MLFLOW_EXPERIMENT_ID=1",
		"ONNXRUNTIME_LIB=" + filepath.Join(root, ".build/lib/libonnxruntime.so"), "HOME=" + dir, "PATH=/usr/local/bin:/usr/bin:/bin",
	}
	return s
}

// put puts records on the rides stream.
func (s *upStack) put(t *testing.T, records ...string) {
	t.Helper()
	data := make([][]byte, len(records))
	for i, r := range records {
		data[i] = []byte(r)
	}
	if err := putRides(t.Context(), s.server.Kinesis, data, 0); err != nil {
		t.Fatal(err)
	}
}

// promote has the alias stand for another run.
func (s *upStack) promote(t *testing.T, run string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), filepath.Join(s.root, ".build/bin/skiff"), "promote", run, "--worker", filepath.Join(s.root, ".build/bin/worker"))
	cmd.Env = s.env
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("promote: %v: %s", err, out)
	}
}

// Each part of the page shows what the worker has done: in the local stack with the records, beside a worker that listens without.
func TestPage(t *testing.T) {
	s := startUp(t)
	chromium := browser.Start(t)
	tab := chromium.Open(t, s.page)
	forest, linear := s.runs["forest"], s.runs["linear"]
	tab.Shows("#state", "live")
	tab.Shows("h1", "local stack")
	tab.Shows(".model", "RandomForestRegressor", forest, "@champion")

	s.put(t, goodRide)
	tab.Shows("#predicted", "PULocationID 236", "trip_distance 2.28", "ride_id 156", "ride_duration 15.386596482840584")
	s.put(t, badRideText)
	tab.Shows("#rejections", "wrong_type", "ride.trip_distance", "a number is expected", "text is there", "id 157", "dead-lettered")
	s.put(t, unknownRide)
	tab.Shows("#predicted", "ride_id 158")
	tab.Shows("#unknown", "PU_DO\n1")
	tab.Shows("#letters", "wrong_type\n1")
	for selector, want := range map[string]string{
		"#predictions": "2", "#rejected": "1", "#failed": "0", "#records": "3", "#dead": "1", "#unsent": "0", "#retries": "0", "#missing": "none yet",
	} {
		tab.Until(selector+" to be "+want, func() bool { return tab.Text(selector) == want })
	}
	tab.Until("the last minute", func() bool { // which may be over on a busy machine
		s.put(t, goodRide, badRideText)
		for _, selector := range []string{"#p50", "#p99", "#rate", "#peak"} {
			if !regexp.MustCompile(`[1-9]`).MatchString(tab.Text(selector)) {
				return false
			}
		}
		stages := regexp.MustCompile(`(?s)decode.*%.*encode.*%.*score.*%.*respond.*%.*publish.*%`)
		return stages.MatchString(tab.Text("#stage-names")) && tab.Has("#chart .ok") && tab.Has("#chart .bad") && tab.Has("#stages .c4")
	})

	listening := listen(t, s, "TEST_RUN=True")
	other := chromium.Open(t, listening)
	other.Shows(".model", forest, "@champion")
	post(t, listening, goodRide, badRideText, unknownRide)
	other.Shows("#unknown", "PU_DO\n1")
	for selector, want := range map[string]string{"#predictions": "2", "#rejected": "1", "#records": "3", "#failed": "0", "#links a": "metrics\nhealth"} {
		other.Until(selector+" to be "+want, func() bool { return strings.TrimSpace(other.Text(selector)) == want })
	}
	if body := other.Text("body"); strings.Contains(body, "15.38") || strings.Contains(body, "ride.trip_distance") || other.Has("#predicted-section:not([hidden])") || other.Has("#rejections-section:not([hidden])") {
		t.Errorf("a page of counts shows records: %s", body)
	}

	failing := listen(t, s, "PREDICTIONS_STREAM_NAME=no-such-stream")
	third := chromium.Open(t, failing)
	post(t, failing, goodRide)
	third.Shows("#failed", "1")

	s.promote(t, linear)
	tab.Until("the swap", func() bool {
		s.put(t, goodRide)
		return strings.Contains(tab.Text(".model"), linear)
	})
	tab.Shows("#models", linear, "LinearRegression, @champion, serves", forest)
	other.Until("the swap", func() bool {
		post(t, listening, goodRide)
		return strings.Contains(other.Text(".model"), linear)
	})
	other.Shows("#models", linear, "LinearRegression, @champion, serves", forest)

	for address, shown := range map[string]*browser.Tab{s.page: tab, listening: other, failing: third} {
		shown.Fits()
		shown.Keeps(address)
	}
}

// What no shipped model has, or the worker's log: missing values, what went wrong, and names that would be elements if they were not shown as text.
func TestPageShowsText(t *testing.T) {
	const hostile = `<img src="http://example.invalid/" onerror="document.title=1">`
	p := page.New("test", true)
	p.Serves(page.Model{RunID: hostile, Estimator: hostile, Since: time.Now()})
	m := &observe.Measurement{Missing: []observe.Count{{Name: "trip_distance", N: 7}, {Name: hostile, N: 3}}, Unknown: []observe.Count{{Name: hostile, N: 1}}, Behind: true}
	p.Record(m, time.Now())
	p.Predicts(page.Predicted{At: time.Now(), Prediction: page.Fields([]byte(`{"<b>label</b>": "<script>no</script>"}`))})
	p.Rejects(page.Rejected{At: time.Now(), Reason: "not_json", Detail: hostile, Field: strings.Repeat("x", 300)})
	p.Fails(page.Failure{At: time.Now(), Text: "publishing: no such stream " + strings.Repeat("x", 200)}, true)
	mux := http.NewServeMux()
	for pattern, handler := range p.Handlers() {
		mux.HandleFunc(pattern, handler)
	}
	server := httptest.NewServer(mux)
	defer server.Close()
	tab := browser.Start(t).Open(t, server.URL)
	tab.Shows("#missing", "trip_distance\n7", hostile)
	tab.Shows("#failures", "publishing: no such stream")
	tab.Shows("#predicted", "<b>label</b> <script>no</script>")
	tab.Shows("#behind", "the alias stands for another run")
	tab.Shows("#failed", "1")
	tab.Fits()
	tab.Keeps(server.URL)
	server.Close()
	tab.Shows("#state", "no answer")
}

// listen starts a worker that listens and follows the stack's alias, and returns its address.
func listen(t *testing.T, s *upStack, env ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), filepath.Join(s.root, ".build/bin/worker"), "-listen", "127.0.0.1:0")
	cmd.Env = append(append(s.env, "RUN_ID=@champion", "MODEL_REFRESH_SECONDS=1"), env...)
	log, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	address := make(chan string, 1)
	go func() {
		defer close(ended)
		var said bytes.Buffer
		buffer := make([]byte, 4096)
		for {
			n, err := log.Read(buffer)
			said.Write(buffer[:n])
			if found := regexp.MustCompile(`"msg":"listening","address":"([^"]+)"`).FindSubmatch(said.Bytes()); found != nil {
				address <- string(found[1])
				break
			}
			if err != nil {
				address <- ""
				return
			}
		}
		_, _ = io.Copy(io.Discard, log)
	}()
	t.Cleanup(func() {
		<-ended // the test's context is over
		_ = cmd.Wait()
	})
	select {
	case a := <-address:
		if a != "" {
			return "http://" + a + "/"
		}
	case <-time.After(time.Minute):
	}
	t.Fatal("the worker does not listen")
	return ""
}

// post posts an event of records to a worker that listens.
func post(t *testing.T, address string, records ...string) {
	t.Helper()
	var all []string
	for i, r := range records {
		all = append(all, fmt.Sprintf(`{"eventID":"shardId-000000000000:%d","eventSource":"aws:kinesis","kinesis":{"sequenceNumber":"%d","partitionKey":"k","data":%q}}`,
			i, i, base64.StdEncoding.EncodeToString([]byte(r))))
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address+"2015-03-31/functions/function/invocations",
		strings.NewReader(`{"Records":[`+strings.Join(all, ",")+`]}`))
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	if err := response.Body.Close(); err != nil {
		t.Fatal(err)
	}
}

// The README's picture: some minutes of rides, of which some are bad, and a swap. It is made where -screenshot names its file.
func TestScreenshot(t *testing.T) {
	if *screenshot == "" {
		t.Skip("make page-screenshot makes it")
	}
	s := startUp(t)
	rides, err := taxi.ReadRides(filepath.Join(s.root, "models/taxi/rides.parquet"), 20_000)
	if err != nil {
		t.Fatal(err)
	}
	records := make([][]byte, len(rides))
	for id, ride := range rides {
		if records[id], err = ride.Record(id); err != nil {
			t.Fatal(err)
		}
	}
	small := slices.DeleteFunc(ways(3.4e38), func(w way) bool { return w.large })
	makeBad(records, 0.02, small)
	tab := browser.Start(t).Open(t, s.page)
	tab.Size(1040, 1380, "light")
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	next := 0
	for i := range 110 {
		<-tick.C
		n := 90 + 70*i%41
		if err := putRides(t.Context(), s.server.Kinesis, records[next:next+n], next); err != nil {
			t.Fatal(err)
		}
		next += n
		if i == 70 {
			s.promote(t, s.runs["linear"])
		}
	}
	tab.Shows("#models", s.runs["linear"])
	tab.Screenshot(*screenshot, false)
	if testing.Verbose() {
		tab.Size(360, 800, "dark")
		tab.Screenshot(strings.TrimSuffix(*screenshot, ".png")+"-narrow.png", true)
	}
}
