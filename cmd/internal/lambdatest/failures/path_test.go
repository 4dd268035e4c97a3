//go:build integration

package failures

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"github.com/skiff-ml/skiff/cmd/internal/lambdatest"
	"github.com/skiff-ml/skiff/cmd/internal/lambdatest/faults"
	"github.com/skiff-ml/skiff/cmd/internal/lambdatest/mapping"
	"github.com/skiff-ml/skiff/cmd/internal/lambdatest/ministack"
	"github.com/skiff-ml/skiff/cmd/internal/lambdatest/runtimeapi"
	"github.com/skiff-ml/skiff/cmd/internal/shipped"
	"github.com/skiff-ml/skiff/inference"
	"github.com/skiff-ml/skiff/inference/limits"
)

const (
	letterBucket = "dead-letters"
	hurry        = time.Millisecond // the pauses, where nothing else is said
	deadline     = time.Minute      // for a path to be through
)

// project is the project's folder, which `make` has built the worker in and installed ministack.
const project = "../../../.."

// server is one ministack for all tests, started by the first.
var server = sync.OnceValues(func() (*ministack.Server, error) {
	program, err := filepath.Abs(filepath.Join(project, ".build/venv/bin/ministack"))
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	address := listener.Addr().String()
	if err := listener.Close(); err != nil {
		return nil, err
	}
	s, err := ministack.Start(context.Background(), ministack.Config{Program: program, Address: address, Dir: temp, Log: io.Discard})
	if err != nil {
		return nil, err
	}
	stop = s.Stop
	return s, s.CreateBucket(context.Background(), letterBucket)
})

var (
	temp string          // a folder, gone after the tests
	stop = func() {}     // the server
	made atomic.Int64    // paths, to name their streams
	bad  = []byte("bad") // no JSON
)

func TestMain(m *testing.M) {
	var err error
	if temp, err = os.MkdirTemp("", "skiff-failures-"); err != nil {
		panic(err)
	}
	code := m.Run()
	stop()
	_ = os.RemoveAll(temp)
	os.Exit(code) //nolint:forbidigo // TestMain ends the process
}

// Options say what a path is like. The zero one is of a worker that has no dead-letter target, and a mapping that does not read its reports.
type options struct {
	mapping     mapping.Config
	deadLetters bool
	reported    bool
	timeout     time.Duration // of the function; 0: 15 s
	env         []string      // more of the worker's variables
}

// A path is all that a record goes through: a stream, the mapping, the worker's program behind a proxy with faults, and where predictions go.
type path struct {
	t                  *testing.T
	options            options
	rides, predictions string // streams
	prefix             string // of dead letters
	server             *ministack.Server
	proxy              *faults.Proxy
	function           *runtimeapi.Function
	log                string // the worker's, a file

	put       int // records
	mu        sync.Mutex
	failed    int // invocations with anything that is not dealt with
	progress  mapping.Progress
	discarded []mapping.Discarded
}

func newPath(t *testing.T, o options) *path {
	t.Helper()
	s, err := server()
	if err != nil {
		t.Fatal(err)
	}
	n := made.Add(1)
	p := &path{t: t, options: o, server: s, rides: fmt.Sprintf("rides-%d", n), predictions: fmt.Sprintf("predictions-%d", n), prefix: fmt.Sprintf("path-%d/", n)}
	if err := s.CreateStreams(t.Context(), 1, p.rides, p.predictions); err != nil {
		t.Fatal(err)
	}
	if p.proxy, err = faults.New(s.Endpoint); err != nil {
		t.Fatal(err)
	}
	front := httptest.NewServer(p.proxy)
	t.Cleanup(front.Close)
	env := []string{
		"MODEL_LOCATION=" + forest(t), "PREDICTIONS_STREAM_NAME=" + p.predictions, "AWS_ENDPOINT_URL=" + front.URL,
		"ONNXRUNTIME_LIB=" + shipped.Library(t),
		"AWS_REGION=" + ministack.Region, "AWS_ACCESS_KEY_ID=" + ministack.AccessKey, "AWS_SECRET_ACCESS_KEY=" + ministack.AccessKey,
	}
	if o.reported {
		env = append(env, "REPORT_BATCH_ITEM_FAILURES=True")
	}
	if o.deadLetters {
		env = append(env, "DEAD_LETTER=s3://"+letterBucket+"/"+p.prefix)
	}
	p.function, p.log = newFunction(t, o.timeout, append(env, o.env...))
	return p
}

// newFunction makes the worker a function with these variables, the last of a name winning. Its log is shown where its test fails.
func newFunction(t *testing.T, timeout time.Duration, env []string) (_ *runtimeapi.Function, logFile string) {
	t.Helper()
	log, err := os.CreateTemp(t.TempDir(), "worker-*.log")
	if err != nil {
		t.Fatal(err)
	}
	worker, dir := absolute(t, ".build/bin/worker"), t.TempDir()
	f := runtimeapi.New(runtimeapi.Config{
		ARN: "arn:aws:lambda:us-east-1:000000000000:function:worker", Timeout: timeout,
		Command: func(api string) *exec.Cmd {
			cmd := exec.Command(worker) //nolint:noctx // stopped by Close
			cmd.Dir, cmd.Stdout, cmd.Stderr = dir, log, log
			cmd.Env = append(slices.Clip(env), "AWS_LAMBDA_RUNTIME_API="+api, "_HANDLER=bootstrap")
			return cmd
		},
	})
	t.Cleanup(func() {
		f.Close()
		if t.Failed() {
			if text, err := os.ReadFile(log.Name()); err == nil {
				t.Logf("the worker's log ends with\n%s", text[max(0, len(text)-4000):])
			}
		}
		_ = log.Close()
	})
	return f, log.Name()
}

func absolute(t *testing.T, file string) string {
	t.Helper()
	abs, err := filepath.Abs(filepath.Join(project, file))
	if err != nil {
		t.Fatal(err)
	}
	return abs
}

// forest is the folder of the random forest's bundle.
func forest(t *testing.T) string {
	t.Helper()
	return filepath.Join(shipped.Models(t), shipped.ReadRuns(t).Forest)
}

// ride is the record of a ride.
func ride(id int) []byte {
	return fmt.Appendf(nil, `{"ride":{"PULocationID":130,"DOLocationID":205,"trip_distance":%d.5},"ride_id":%d}`, id%30, id)
}

// produce puts n rides, of which so many in a hundred thousand are bad, evenly spread.
func (p *path) produce(n, badIn100k int) {
	p.t.Helper()
	for start := p.put; p.put < start+n; {
		in := &kinesis.PutRecordsInput{StreamName: &p.rides}
		for ; p.put < start+n && len(in.Records) < limits.PutRecords; p.put++ {
			data := ride(p.put)
			if isBad(p.put, badIn100k) {
				data = bad
			}
			in.Records = append(in.Records, types.PutRecordsRequestEntry{Data: data, PartitionKey: aws.String(strconv.Itoa(p.put))})
		}
		p.putOnce(in)
	}
}

// putOnce puts the next records on the rides' stream. What was put and not answered, as a busy machine has it, is not put again: the SDK would.
func (p *path) putOnce(in *kinesis.PutRecordsInput) {
	p.t.Helper()
	for attempts := 3; ; attempts-- {
		out, err := p.server.Kinesis.PutRecords(p.t.Context(), in, func(o *kinesis.Options) { o.Retryer = aws.NopRetryer{} })
		switch {
		case err == nil && aws.ToInt32(out.FailedRecordCount) == 0:
			return
		case err == nil || attempts == 1:
			p.t.Fatal(out, err)
		case len(p.records(p.rides)) == p.put:
			return
		}
	}
}

// run has the mapping deliver all that was produced, once the worker is there.
func (p *path) run() {
	p.t.Helper()
	errAll := errors.New("all are through")
	ctx, cancel := context.WithCancelCause(p.t.Context())
	defer cancel(nil)
	timer := time.AfterFunc(deadline, func() { cancel(fmt.Errorf("not through after %v", deadline)) })
	defer timer.Stop()
	if err := p.function.Start(ctx); err != nil {
		p.t.Fatal(err)
	}
	config := p.options.mapping
	config.ReportBatchItemFailures = p.options.reported
	if config.FirstPause == 0 {
		config.FirstPause, config.LastPause = hurry, hurry
	}
	source := mapping.NewSource(p.server.Kinesis, p.rides)
	m, err := mapping.New(config, mapping.Parts{
		Shards: source, Records: source, Function: p, OnFailure: p, Log: slog.New(slog.DiscardHandler),
		OnProgress: func(now mapping.Progress) {
			p.progress = now
			if now.Delivered+now.Discarded == p.put {
				cancel(errAll)
			}
		},
	})
	if err != nil {
		p.t.Fatal(err)
	}
	if err := m.Run(ctx); !errors.Is(context.Cause(ctx), errAll) {
		p.t.Fatal(context.Cause(ctx), err)
	}
}

// Invoke implements mapping.Invoker.
func (p *path) Invoke(ctx context.Context, event []byte) (mapping.Result, error) {
	result, err := p.function.Invoke(ctx, event)
	if result.FunctionError != "" || len(failures(result.Payload)) > 0 {
		p.mu.Lock()
		p.failed++
		p.mu.Unlock()
	}
	return mapping.Result(result), err
}

// failures are the sequence numbers that a response reports.
func failures(response []byte) []string {
	var r struct {
		BatchItemFailures []struct {
			ItemIdentifier string `json:"itemIdentifier"`
		} `json:"batchItemFailures"`
	}
	_ = json.Unmarshal(response, &r) // what is no response reports nothing
	var ids []string
	for _, f := range r.BatchItemFailures {
		ids = append(ids, f.ItemIdentifier)
	}
	return ids
}

// failures so far.
func (p *path) failedInvocations() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.failed
}

// Discard implements mapping.Destination.
func (p *path) Discard(_ context.Context, d mapping.Discarded) error {
	p.discarded = append(p.discarded, d)
	return nil
}

// outcome is what became of the good rides, and how many dead letters there are of each bad one.
func (p *path) outcome(badIn100k int) (good spread, letters map[string]int) {
	p.t.Helper()
	copies := p.published()
	given := map[string]bool{}
	for _, d := range p.discarded {
		for _, r := range d.Records {
			given[r.PartitionKey] = true
		}
	}
	n := 0
	for i := range p.put {
		id := strconv.Itoa(i)
		switch {
		case isBad(i, badIn100k):
			if copies[id] > 0 {
				p.t.Errorf("bad ride %d was published", i)
			}
			continue
		case given[id]:
			good.givenUp++
		case copies[id] == 0:
			good.lost++
		}
		n++
		good.copies += float64(copies[id])
		good.most = max(good.most, copies[id])
	}
	good.copies /= float64(max(n, 1))
	return good, p.letters(badIn100k)
}

// published counts the predictions of each ride.
func (p *path) published() map[string]int {
	p.t.Helper()
	copies := map[string]int{}
	for _, r := range p.records(p.predictions) {
		var out struct {
			Prediction struct {
				ID json.Number `json:"ride_id"`
			}
		}
		if err := json.Unmarshal(r.Data, &out); err != nil {
			p.t.Fatal(err)
		}
		copies[out.Prediction.ID.String()]++
	}
	return copies
}

// records are all of a stream of one shard.
func (p *path) records(stream string) (all []lambdatest.Record) {
	p.t.Helper()
	source := mapping.NewSource(p.server.Kinesis, stream)
	for after := ""; ; after = all[len(all)-1].SequenceNumber {
		records, _, err := source.Read(p.t.Context(), "shardId-000000000000", after, limits.GetRecords)
		if err != nil {
			p.t.Fatal(err)
		}
		if len(records) == 0 {
			return all
		}
		all = append(all, records...)
	}
}

// letters counts the dead letters of each ride. They are of bad ones, for their reason.
func (p *path) letters(badIn100k int) map[string]int {
	p.t.Helper()
	letters := map[string]int{}
	err := p.server.Objects(p.t.Context(), letterBucket, p.prefix, func(_ string, data []byte) error {
		for line := range strings.Lines(string(data)) {
			var l inference.DeadLetter
			if err := json.Unmarshal([]byte(line), &l); err != nil {
				return err
			}
			i, err := strconv.Atoi(l.PartitionKey)
			if err != nil || !isBad(i, badIn100k) || l.Reason != inference.NotJSON || string(l.Data) != string(bad) {
				p.t.Errorf("dead letter %s: %v", line, err)
			}
			letters[l.PartitionKey]++
		}
		return nil
	})
	if err != nil {
		p.t.Fatal(err)
	}
	return letters
}
