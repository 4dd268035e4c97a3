//go:build integration

package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/skiff-ml/skiff/cmd/internal/lambdatest/runtimeapi"
)

// someRides are n documents, the second of which has no ride.
func someRides(n int) string {
	var b strings.Builder
	for i := range n {
		if i == 1 {
			b.WriteString("{\"ride_id\": 1}\n")
			continue
		}
		fmt.Fprintf(&b, `{"ride": {"PULocationID": 236, "DOLocationID": 162, "trip_distance": %d.28}, "ride_id": %d}`+"\n", i%9, i)
	}
	return b.String()
}

func gzipped(t *testing.T, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func (w *standin) put(t *testing.T, key string, data []byte) {
	t.Helper()
	if _, err := w.s3.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("rides"), Key: &key, Body: bytes.NewReader(data)}); err != nil {
		t.Fatal(err)
	}
}

// objects are all of the bucket.
func (w *standin) objects(t *testing.T) map[string]string {
	t.Helper()
	out, err := w.s3.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String("rides")})
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, o := range out.Contents {
		file, err := w.s3.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("rides"), Key: o.Key})
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(file.Body)
		if err != nil {
			t.Fatal(err)
		}
		all[*o.Key] = string(data)
	}
	return all
}

// environment is the worker's, whose working folder is another than this test's.
func (w *standin) environment(t *testing.T) []string {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	library := os.Getenv("ONNXRUNTIME_LIB")
	if library == "" {
		library = filepath.Join(root, ".build", "lib", "libonnxruntime.so")
	}
	return []string{
		"RUN_ID=" + w.run, "MODEL_LOCATION=" + filepath.Join(root, "models", w.run), "ONNXRUNTIME_LIB=" + library,
		"AWS_REGION=" + standinRegion, "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test", "S3_ENDPOINT_URL=" + w.endpoint, "TMPDIR=" + t.TempDir(),
	}
}

// The worker scores a file in S3, on the command line and as a function that Step
// Functions invokes: the predictions are those of the same file on disk.
func TestScoreInS3(t *testing.T) {
	w := newStandin(t)
	if _, err := w.s3.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("rides")}); err != nil {
		t.Fatal(err)
	}
	text := someRides(2500)
	w.put(t, "in/a.jsonl", []byte(text))
	w.put(t, "in/b é.jsonl.gz", gzipped(t, text))
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "local.jsonl"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	score := func(code int, args ...string) (last map[string]any, stderr string) {
		t.Helper()
		cmd := workerCommand(t, append([]string{"-score"}, args...)...)
		cmd.Dir, cmd.Env = folder, w.environment(t)
		r := startWorker(t, cmd)
		r.end(t, code)
		if code == 0 {
			if err := json.Unmarshal(r.stdout.Bytes(), &last); err != nil {
				t.Fatalf("%v: %s", err, &r.stdout)
			}
		}
		return last, r.stderr.String()
	}
	score(0, "local.jsonl")
	want := string(readFile(t, filepath.Join(folder, "local.predictions.jsonl")))
	if strings.Count(want, "\n") != 2499 {
		t.Fatalf("%d lines", strings.Count(want, "\n"))
	}

	for _, test := range []struct{ file, to, there string }{
		{"s3://rides/in/a.jsonl", "", "in/a.predictions.jsonl"},
		{"s3://rides/in/b é.jsonl.gz", "", "in/b é.predictions.jsonl"},
		{"s3://rides/in/b é.jsonl.gz", "s3://rides/out/c.jsonl", "out/c.jsonl"},
		{"local.jsonl", "s3://rides/out/d.jsonl", "out/d.jsonl"},
	} {
		args := []string{test.file}
		if test.to != "" {
			args = append(args, "-to", test.to)
		}
		if last, _ := score(0, args...); last["predictions"] != "s3://rides/"+test.there || last["predicted"] != 2499.0 || last["rejected"] != 1.0 {
			t.Errorf("%s: %v", test.file, last)
		}
		all := w.objects(t)
		if all[test.there] != want || !strings.Contains(all[test.there+".rejected"], `"sequence_number":"2"`) {
			t.Errorf("%s: the predictions are others: %.200s", test.file, all[test.there])
		}
	}
	if left, err := filepath.Glob(filepath.Join(folder, "*.part*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}

	// again: what is done is done; what is another's stays
	if last, _ := score(0, "s3://rides/in/a.jsonl"); last["before"] != true || last["predicted"] != 2499.0 {
		t.Errorf("again: %v", last)
	}
	for _, args := range [][]string{{"s3://rides/in/a.jsonl", "-to", "s3://rides/in/b é.jsonl.gz.jsonl"}, {"local.jsonl", "-to", "s3://rides/out/d.jsonl"}} {
		w.put(t, "in/b é.jsonl.gz.jsonl", []byte("mine"))
		before := w.objects(t)
		if _, stderr := score(1, args...); !strings.Contains(stderr, "is there already, and is not what this run makes") || !strings.Contains(stderr, "\nhint: ") {
			t.Errorf("%v: %s", args, stderr)
		}
		if !maps.Equal(before, w.objects(t)) {
			t.Errorf("%v: something is written", args)
		}
	}
	for place, says := range map[string]string{
		"s3://rides/none.jsonl": "reading s3://rides/none.jsonl: file does not exist\nhint: look for it",
		"s3://gone/a.jsonl":     "reading s3://gone/a.jsonl: NoSuchBucket",
		"s3://rides":            "is not of the form s3://bucket/key\nhint: ",
	} {
		if _, stderr := score(1, place); !strings.Contains(stderr, says) {
			t.Errorf("%s: %s", place, stderr)
		}
	}
	w.lambda(t, want)
}

// lambda has a function score them.
func (w *standin) lambda(t *testing.T, want string) {
	t.Helper()
	f := runtimeapi.New(runtimeapi.Config{Timeout: time.Minute, Command: func(api string) *exec.Cmd {
		cmd := exec.Command(w.program) //nolint:noctx // the function ends it
		cmd.Dir, cmd.Env = t.TempDir(), append(w.environment(t), "AWS_LAMBDA_RUNTIME_API="+api, "_HANDLER=bootstrap")
		return cmd
	}})
	t.Cleanup(f.Close)
	invoke := func(event string) string {
		t.Helper()
		result, err := f.Invoke(t.Context(), []byte(event))
		if err != nil {
			t.Fatal(err)
		}
		return string(result.Payload)
	}
	got := invoke(string(shardOf(t, mapInput, "in/a.jsonl", "in/b é.jsonl.gz")))
	if !strings.HasPrefix(got, `{"scored":[{"run_id":"`+w.run+`","predictions":"s3://rides/out/in/a.jsonl.predictions.jsonl","lines":2500,"predicted":2499,"rejected":1,"seconds":`) {
		t.Errorf("answered %s", got)
	}
	all := w.objects(t)
	if all["out/in/a.jsonl.predictions.jsonl"] != want || all["out/in/b é.jsonl.gz.predictions.jsonl"] != want {
		t.Error("the predictions are others")
	}
	if got := invoke(`{"score": "s3://rides/in/a.jsonl", "to": "s3://rides/out/in/a.jsonl.predictions.jsonl"}`); !strings.Contains(got, `"before":true`) {
		t.Errorf("answered %s", got)
	}
	// one is done, and the next is not there
	got = invoke(`{"Items": [{"score": "s3://rides/in/a.jsonl", "to": "s3://rides/out/g.jsonl"}, {"score": "s3://rides/in/none.jsonl", "to": "s3://rides/out/h.jsonl"}]}`)
	if !strings.Contains(got, "file 2 of 2: scoring s3://rides/in/none.jsonl: ") || !strings.Contains(got, "hint: ") || w.objects(t)["out/g.jsonl"] != want {
		t.Errorf("answered %s", got)
	}
	// and it still takes rides
	if got := invoke(strings.SplitN(someRides(1), "\n", 2)[0]); !strings.HasPrefix(got, `{"predictions":[{"model":`) {
		t.Errorf("answered %s", got)
	}
}
