//go:build integration

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/skiff-ml/skiff/inference"
)

const (
	standinRegion  = "us-east-1"
	standinAccount = "000000000000"
	standinStart   = 30 * time.Second
)

// badEvent has a good record between two bad ones.
const badEvent = `{"Records":[
{"eventID":"shardId-000000000001:1","kinesis":{"sequenceNumber":"1","partitionKey":"k","approximateArrivalTimestamp":1764000000.5,"data":"U2VjcmV0"}},
{"eventID":"shardId-000000000001:2","kinesis":{"sequenceNumber":"2","partitionKey":"k","data":"eyJyaWRlIjp7IlBVTG9jYXRpb25JRCI6MTMwLCJET0xvY2F0aW9uSUQiOjIwNSwidHJpcF9kaXN0YW5jZSI6My42Nn0sInJpZGVfaWQiOjE1Nn0="}},
{"eventID":"shardId-000000000001:3","kinesis":{"sequenceNumber":"3","partitionKey":"k","data":"eyJyaWRlIjp7fSwicmlkZV9pZCI6N30="}}]}`

// The worker over a stand-in for AWS: what can never succeed is in the place
// that DEAD_LETTER names, and the worker has succeeded; or the place is not
// there, and the worker says so.
func TestDeadLetters(t *testing.T) {
	w := newStandin(t)
	for _, stream := range []string{"predictions", "letters"} {
		if _, err := w.kinesis.CreateStream(t.Context(), &kinesis.CreateStreamInput{StreamName: &stream, ShardCount: aws.Int32(1)}); err != nil {
			t.Fatal(err)
		}
	}
	for _, queue := range []string{"by-name", "by-arn", "by-url", "letters.fifo"} {
		in := &sqs.CreateQueueInput{QueueName: &queue, Attributes: map[string]string{"VisibilityTimeout": "0"}} // to be read at any time
		if strings.HasSuffix(queue, ".fifo") {
			in.Attributes["FifoQueue"] = "true"
		}
		if _, err := w.sqs.CreateQueue(t.Context(), in); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.s3.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("letters")}); err != nil {
		t.Fatal(err)
	}
	arn := func(service, name string) string {
		return fmt.Sprintf("arn:aws:%s:%s:%s:%s", service, standinRegion, standinAccount, name)
	}
	for place, read := range map[string]func(*testing.T) [][]byte{
		"kinesis://letters":                             w.readStream,
		"kinesis://" + arn("kinesis", "stream/letters"): w.readStream,
		"sqs://by-name":                                 w.readQueue("by-name"),
		"sqs://" + arn("sqs", "by-arn"):                 w.readQueue("by-arn"),
		"sqs://" + w.endpoint + "/000000000000/by-url":  w.readQueue("by-url"),
		"sqs://letters.fifo":                            w.readQueue("letters.fifo"),
		"s3://letters/rides":                            w.readFolder("rides/"),
		"s3://letters":                                  w.readFolder(time.Now().UTC().Format("2006/01/02/")),
	} {
		t.Run(strings.ReplaceAll(place, "/", "_"), func(t *testing.T) {
			before := len(read(t))
			stdout, stderr, code := w.worker(t, place)
			if code != 0 || strings.Count(stdout, `"ride_id":156`) != 1 || strings.Contains(stdout, "batchItemFailures") {
				t.Fatalf("exit %d: %s%s", code, stdout, stderr)
			}
			var letters []inference.DeadLetter
			for _, line := range read(t)[before:] {
				var l inference.DeadLetter
				if err := json.Unmarshal(line, &l); err != nil {
					t.Errorf("%s: %v", line, err)
				}
				letters = append(letters, l)
			}
			if len(letters) != 2 {
				t.Fatalf("%d letters: %+v", len(letters), letters)
			}
			if letters[0].SequenceNumber == "3" { // a queue has no order
				letters[0], letters[1] = letters[1], letters[0]
			}
			first := letters[0]
			if first.Reason != inference.NotJSON || string(first.Data) != "Secret" || first.Bytes != 6 || first.Shard != "shardId-000000000001" ||
				first.PartitionKey != "k" || first.SequenceNumber != "1" || first.Arrived != "2025-11-24T16:00:00.500Z" || first.RunID != w.run {
				t.Errorf("got %+v", first)
			}
			if second := letters[1]; second.Reason != inference.MissingField || second.SequenceNumber != "3" || !strings.HasPrefix(second.Field, "ride.") {
				t.Errorf("got %+v", second)
			}
		})
	}
	for place, says := range map[string]string{
		"kinesis://gone":              "putting records to gone: ResourceNotFoundException: ",
		"sqs://gone":                  "finding queue gone: ",
		"sqs://" + arn("sqs", "gone"): "sending messages to gone: ",
		"s3://gone/rides":             "writing s3://gone/rides/",
	} {
		t.Run(strings.ReplaceAll(place, "/", "_"), func(t *testing.T) {
			stdout, stderr, code := w.worker(t, place)
			if code != 1 || !strings.Contains(stderr, "worker: error: 2 of 3 records are not dealt with, the first: dead-lettering: "+says) ||
				!strings.Contains(stderr, "\nhint: there is none: check DEAD_LETTER, ") || strings.Contains(stderr, "Secret") {
				t.Errorf("exit %d: %s%s", code, stdout, stderr)
			}
		})
	}
}

// A standin is ministack, and the worker beside it.
type standin struct {
	endpoint, program, run string
	kinesis                *kinesis.Client
	sqs                    *sqs.Client
	s3                     *s3.Client
}

func newStandin(t *testing.T) *standin {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile(filepath.Join(root, "models", "taxi", "runs.json"))
	if err != nil {
		t.Fatal(err)
	}
	var runs map[string]string
	if err := json.Unmarshal(file, &runs); err != nil {
		t.Fatal(err)
	}
	ministack, err := filepath.Glob(filepath.Join(root, ".build", "*", "bin", "ministack"))
	if err != nil || len(ministack) == 0 {
		t.Fatalf("ministack is not installed in .build: %v", err)
	}
	w := &standin{run: runs["linear"], program: filepath.Join(t.TempDir(), "worker")}
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", w.program, ".").CombinedOutput(); err != nil {
		t.Fatalf("building the worker: %v\n%s", err, out)
	}
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err := errors.Join(err, listener.Close()); err != nil {
		t.Fatal(err)
	}
	w.endpoint = "http://127.0.0.1:" + port

	temp := t.TempDir()
	var log bytes.Buffer
	cmd := exec.Command(ministack[0]) //nolint:noctx // stopped with its group by the cleanup
	cmd.Dir, cmd.Stdout, cmd.Stderr = temp, &log, &log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Env = append(os.Environ(), "GATEWAY_PORT="+port, "BIND_HOST=127.0.0.1", "MINISTACK_REGION="+standinRegion, "MINISTACK_ACCOUNT_ID="+standinAccount,
		"SERVICES=kinesis,s3,sqs", "IOT_MTLS_ENABLED=0", "SFTP_ENABLED=0", "PERSIST_STATE=0", "S3_PERSIST=0",
		"STATE_DIR="+temp, "S3_DATA_DIR="+temp, "TMPDIR="+temp, "DOCKER_HOST=unix://"+filepath.Join(temp, "none.sock"))
	if err := cmd.Start(); err != nil {
		t.Fatalf("starting ministack: %v", err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait()
		if t.Failed() {
			t.Log(log.String())
		}
	})
	waitFor(t, w.endpoint+"/_ministack/health")

	keys := credentials.NewStaticCredentialsProvider("test", "test", "")
	w.kinesis = kinesis.New(kinesis.Options{Region: standinRegion, BaseEndpoint: &w.endpoint, Credentials: keys})
	w.sqs = sqs.New(sqs.Options{Region: standinRegion, BaseEndpoint: &w.endpoint, Credentials: keys})
	w.s3 = s3.New(s3.Options{Region: standinRegion, BaseEndpoint: &w.endpoint, Credentials: keys, UsePathStyle: true})
	return w
}

// waitFor waits until there is an answer.
func waitFor(t *testing.T, url string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), standinStart)
	defer cancel()
	tick := time.NewTicker(25 * time.Millisecond)
	defer tick.Stop()
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		if response, err := http.DefaultClient.Do(request); err == nil {
			response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatal("ministack does not answer")
		}
	}
}

// worker has the worker handle badEvent, and returns what it printed and its
// exit code.
func (w *standin) worker(t *testing.T, deadLetter string) (stdout, stderr string, code int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), w.program, "-event", "-")
	library := os.Getenv("ONNXRUNTIME_LIB")
	if library == "" {
		library = filepath.Join("..", "..", ".build", "lib", "libonnxruntime.so")
	}
	cmd.Env = []string{
		"RUN_ID=" + w.run, "MODEL_LOCATION=" + filepath.Join("..", "..", "models", w.run), "ONNXRUNTIME_LIB=" + library,
		"AWS_REGION=" + standinRegion, "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test", "AWS_ENDPOINT_URL=" + w.endpoint,
		"PREDICTIONS_STREAM_NAME=predictions", "DEAD_LETTER=" + deadLetter,
	}
	var out, log bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(badEvent), &out, &log
	if err := cmd.Run(); err != nil {
		exit, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			t.Fatal(err)
		}
		code = exit.ExitCode()
	}
	return out.String(), log.String(), code
}

// readStream reads all the letters in the stream.
func (w *standin) readStream(t *testing.T) (lines [][]byte) {
	t.Helper()
	iterator, err := w.kinesis.GetShardIterator(t.Context(), &kinesis.GetShardIteratorInput{
		StreamName: aws.String("letters"), ShardId: aws.String("shardId-000000000000"), ShardIteratorType: "TRIM_HORIZON",
	})
	if err != nil {
		t.Fatal(err)
	}
	out, err := w.kinesis.GetRecords(t.Context(), &kinesis.GetRecordsInput{ShardIterator: iterator.ShardIterator})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range out.Records {
		lines = append(lines, r.Data)
	}
	return lines
}

// readQueue reads the letters in a queue, at most ten.
func (w *standin) readQueue(name string) func(*testing.T) [][]byte {
	return func(t *testing.T) (lines [][]byte) {
		t.Helper()
		url := aws.String(w.endpoint + "/" + standinAccount + "/" + name)
		out, err := w.sqs.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: url, MaxNumberOfMessages: 10})
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range out.Messages {
			lines = append(lines, []byte(*m.Body))
		}
		return lines
	}
}

// readFolder reads all the letters of the bucket under a prefix.
func (w *standin) readFolder(prefix string) func(*testing.T) [][]byte {
	return func(t *testing.T) (lines [][]byte) {
		t.Helper()
		out, err := w.s3.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String("letters"), Prefix: &prefix})
		if err != nil {
			t.Fatal(err)
		}
		for _, object := range out.Contents {
			file, err := w.s3.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("letters"), Key: object.Key})
			if err != nil {
				t.Fatal(err)
			}
			data, err := io.ReadAll(file.Body)
			if err != nil {
				t.Fatal(err)
			}
			for line := range bytes.Lines(data) {
				lines = append(lines, bytes.TrimSuffix(line, []byte("\n")))
			}
		}
		return lines
	}
}
