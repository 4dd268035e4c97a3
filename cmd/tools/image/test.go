package main

import (
	"context"
	"debug/elf"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"skiff/cmd/internal/lambdatest/ministack"
	"skiff/cmd/tools/internal/taxi"
)

// The images the tests build. The first is what make image makes.
const (
	plain  = "stream-model-duration:v1"
	baked  = "stream-model-duration:test-bundle"
	again  = "stream-model-duration:test-again"
	other  = "stream-model-duration:test-arm64"
	noRun  = "ffffffffffffffffffffffffffffffff"
	sample = "models/taxi/event.json"
)

// What the sample event's ride takes, by the two runs (minutes).
const (
	forestMinutes = "19.70249343653066"
	linearMinutes = "16.295528169620887"
)

// A tester is the state of the tests.
type tester struct {
	engine  string
	stderr  io.Writer
	say     func(format string, args ...any)
	temp    string
	closers []func()
	event   []byte
	runs    map[string]string // by kind
	stand   *standIns
	result  result
}

// A result is what was measured.
type result struct {
	SizeMB        float64 `json:"size_mb"`            // unpacked
	CompressedMB  float64 `json:"compressed_mb"`      // what is pulled
	InitMS        float64 `json:"init_ms"`            // median, the worker's start, by the emulator
	FirstAnswerMS float64 `json:"first_answer_ms"`    // median, from the engine's call to the right answer, bundle in the image
	FromS3MS      float64 `json:"first_answer_s3_ms"` // the same, bundle from S3 and the prediction published
	RSSMB         float64 `json:"rss_mb"`             // the worker's peak
	Digest        string  `json:"digest"`
	Reproducible  bool    `json:"reproducible"`
	Checks        int     `json:"checks"`
	Engine        string  `json:"engine"`
}

func (t *tester) close() {
	for _, c := range slices.Backward(t.closers) {
		c()
	}
}

// passed counts a check and says so.
func (t *tester) passed(format string, args ...any) {
	t.result.Checks++
	t.say("ok: "+format, args...)
}

// test runs the tests in order: each needs what the ones before it started.
func (t *tester) test(ctx context.Context, stdout io.Writer) error {
	if err := t.prepare(ctx); err != nil {
		return err
	}
	for _, step := range []func(context.Context) error{t.tutorial, t.inside, t.fromS3, t.failures, t.published} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return json.NewEncoder(stdout).Encode(t.result)
}

// prepare builds the images and reads what the tests need.
func (t *tester) prepare(ctx context.Context) error {
	if t.engine == "" {
		return errors.New("ENGINE is not set: make image-test sets it")
	}
	t.result.Engine = t.engine
	if err := os.Chmod(t.temp, 0o755); err != nil { //nolint:gosec // containers read it as other users
		return err
	}
	var err error
	if t.event, err = os.ReadFile(sample); err != nil {
		return err
	}
	if t.runs, err = taxi.ReadRuns("models/taxi/runs.json"); err != nil {
		return err
	}
	if err := t.build(ctx, plain); err != nil {
		return err
	}
	return t.build(ctx, "-run-id", t.runs["forest"], baked)
}

// build builds an image; the script says how far it is.
func (t *tester) build(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, ".tools/image/build", args...)
	cmd.Stderr = t.stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("building %s: %w", args[len(args)-1], err)
	}
	return nil
}

// answer is what a run answers to the sample event.
func answer(run, minutes string) string {
	return `{"predictions":[` + prediction(run, minutes) + `]}`
}

func prediction(run, minutes string) string {
	return fmt.Sprintf(`{"model":"ride_duration_prediction_model","version":%q,"prediction":{"ride_duration":%s,"ride_id":156}}`, run, minutes)
}

// expect invokes and compares the whole answer.
func (c *container) expect(ctx context.Context, event []byte, want string) error {
	got, err := c.invoke(ctx, event)
	if err != nil {
		return err
	}
	if got != want {
		return fmt.Errorf("the answer is %s\nnot %s\nthe log: %s", got, want, c.log(ctx))
	}
	return nil
}

// tutorial runs the image as the tutorial does, but for the port and the home,
// and starts the stand-ins where a container on the engine's own network
// reaches them. What it starts stays until the end: the network is there as
// long as somebody is on it.
func (t *tester) tutorial(ctx context.Context) error {
	gateway, err := t.gateway(ctx)
	if err != nil {
		return err
	}
	_, port, err := net.SplitHostPort(freeAddress())
	if err != nil {
		return err
	}
	standIn := net.JoinHostPort(gateway, port)
	home := filepath.Join(t.temp, "home")
	if err := os.MkdirAll(filepath.Join(home, ".aws"), 0o755); err != nil { //nolint:gosec // read as another user
		return err
	}
	for file, text := range map[string]string{ //nolint:gosec // ministack takes any keys
		"credentials": "[default]\naws_access_key_id = test\naws_secret_access_key = test\n",
		"config":      "[default]\nregion = " + ministack.Region + "\nendpoint_url = http://" + standIn + "\n",
	} {
		if err := os.WriteFile(filepath.Join(home, ".aws", file), []byte(text), 0o644); err != nil { //nolint:gosec // read as another user
			return err
		}
	}
	address := freeAddress()
	c := &container{engine: t.engine, id: "skiff-image-tutorial-" + strconv.Itoa(os.Getpid()), url: "http://" + address}
	_, published, err := net.SplitHostPort(address)
	if err != nil {
		return err
	}
	// A terminal, which -it wants, is what script gives.
	typed := fmt.Sprintf("%s run --name %s -it --rm -p %s:8080 -e PREDICTIONS_STREAM_NAME=ride-predictions -e RUN_ID=%s -v ~/.aws:/root/.aws %s",
		t.engine, c.id, published, t.runs["forest"], baked)
	cmd := exec.Command("script", "-qefc", typed, "/dev/null") //nolint:noctx // stopped by close
	cmd.Env = append(os.Environ(), "HOME="+home)
	if err := t.start(cmd); err != nil {
		return err
	}
	t.closers = append(t.closers, func() { c.remove(ctx) })
	ready, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	err = until(ready, func() error { return c.logged(ready, `"msg":"listening"`) })
	if err != nil {
		return fmt.Errorf("starting the tutorial's container: %w", err)
	}
	if t.stand, err = t.startStandIns(ctx, standIn, []string{t.runs["forest"], t.runs["linear"]}); err != nil {
		return err
	}
	want := prediction(t.runs["forest"], forestMinutes)
	if err := c.expect(ctx, t.event, `{"predictions":[`+want+`]}`); err != nil {
		return fmt.Errorf("the tutorial's container: %w", err)
	}
	records, err := t.stand.published(ctx)
	if err != nil {
		return err
	}
	if !slices.Equal(records, []string{want}) {
		return fmt.Errorf("the tutorial's container put %q on the stream", records)
	}
	t.passed("the tutorial's docker run answers, finds ~/.aws and publishes")
	return t.unreadable(ctx, home)
}

// unreadable makes the credentials their owner's alone, as `aws configure` does: with another user the container says so.
func (t *tester) unreadable(ctx context.Context, home string) error {
	credentials := filepath.Join(home, ".aws", "credentials")
	if err := os.Chmod(credentials, 0o600); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	out, err := exec.CommandContext(ctx, t.engine, "run", "--rm", "-v", filepath.Dir(credentials)+":/root/.aws", baked).CombinedOutput()
	if err == nil {
		return errors.New("the container reads credentials that are not for it")
	}
	if !strings.Contains(string(out), "worker: error: reading the AWS configuration: open /root/.aws/credentials: permission denied\nhint: ") {
		return fmt.Errorf("with credentials it may not read, the container says %q, and ends with %w", out, err)
	}
	c := &container{engine: t.engine, url: "http://" + freeAddress()}
	c.id, err = output(ctx, t.engine, "run", "-d", "-p", strings.TrimPrefix(c.url, "http://")+":8080", "--read-only", "--cap-drop=all",
		"--security-opt=no-new-privileges", "--user="+strconv.Itoa(os.Getuid()), "-e", "PREDICTIONS_STREAM_NAME="+stream,
		"-v", filepath.Dir(credentials)+":/root/.aws:ro", baked)
	if err != nil {
		return err
	}
	defer c.remove(ctx)
	if err := c.expect(ctx, t.event, answer(t.runs["forest"], forestMinutes)); err != nil {
		return fmt.Errorf("the safer docker run: %w", err)
	}
	t.passed("credentials that only their owner may read: a clear error, and the safer docker run")
	return nil
}

// gateway is the host, as containers on the engine's own network see it.
func (t *tester) gateway(ctx context.Context) (string, error) {
	if t.engine == "podman" {
		return output(ctx, t.engine, "network", "inspect", "podman", "--format", "{{(index .Subnets 0).Gateway}}")
	}
	return output(ctx, t.engine, "network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Gateway}}")
}

// inside tests the image with a bundle in it, under the emulator: several
// starts, for their median.
func (t *tester) inside(ctx context.Context) error {
	const starts = 5
	var firsts, inits []float64
	for range starts {
		first, init, err := t.coldStart(ctx)
		if err != nil {
			return err
		}
		firsts, inits = append(firsts, first), append(inits, init)
	}
	slices.Sort(firsts)
	slices.Sort(inits)
	t.result.FirstAnswerMS, t.result.InitMS = firsts[starts/2], inits[starts/2]
	t.passed("under the emulator, the bundle inside: the sample event's answer after %.0f ms (%.0f to %.0f, %d starts)",
		t.result.FirstAnswerMS, firsts[0], firsts[starts-1], starts)
	return nil
}

// coldStart returns how long the first answer and the worker's start took (ms).
func (t *tester) coldStart(ctx context.Context) (first, init float64, err error) {
	c, err := t.startFunction(ctx, baked, "-e", "TEST_RUN=True")
	if err != nil {
		return 0, 0, err
	}
	defer c.remove(ctx)
	if err := c.expect(ctx, t.event, answer(t.runs["forest"], forestMinutes)); err != nil {
		return 0, 0, err
	}
	first = since(c.began)
	if init, err = c.initMS(ctx); err != nil {
		return 0, 0, err
	}
	peak, err := c.peakMB(ctx)
	t.result.RSSMB = max(t.result.RSSMB, math.Round(peak*10)/10)
	return first, init, err
}

func since(began time.Time) float64 {
	return math.Round(float64(time.Since(began).Microseconds())/100) / 10
}

// aws is what a function's configuration has for a bundle in S3.
func (t *tester) aws(run string, more ...string) []string {
	options := []string{
		"-e", "AWS_ACCESS_KEY_ID=test", "-e", "AWS_SECRET_ACCESS_KEY=test", "-e", "AWS_REGION=" + ministack.Region,
		"-e", "AWS_ENDPOINT_URL=" + t.stand.Endpoint, "-e", "MODEL_BUCKET=" + bucket, "-e", "PREDICTIONS_STREAM_NAME=" + stream, "-e", "RUN_ID=" + run,
	}
	for _, variable := range more {
		options = append(options, "-e", variable)
	}
	return options
}

// fromS3 tests both runs with the image that has no bundle, and reads back
// what they publish.
func (t *tester) fromS3(ctx context.Context) error {
	before, err := t.stand.published(ctx)
	if err != nil {
		return err
	}
	for _, run := range []struct{ id, minutes string }{{t.runs["forest"], forestMinutes}, {t.runs["linear"], linearMinutes}} {
		c, err := t.startFunction(ctx, plain, t.aws(run.id)...)
		if err != nil {
			return err
		}
		err = t.serves(ctx, c, run.id, run.minutes, &before)
		c.remove(ctx)
		if err != nil {
			return err
		}
	}
	return nil
}

// serves tests a function that has nothing wrong with it.
func (t *tester) serves(ctx context.Context, c *container, run, minutes string, before *[]string) error {
	if err := c.expect(ctx, t.event, answer(run, minutes)); err != nil {
		return err
	}
	took := since(c.began)
	t.result.FromS3MS = max(t.result.FromS3MS, took)
	records, err := t.stand.published(ctx)
	if err != nil {
		return err
	}
	*before = append(*before, prediction(run, minutes))
	if !slices.Equal(records, *before) {
		return fmt.Errorf("the stream has %q\nnot %q", records, *before)
	}
	t.passed("run %.8s… from S3: answered after %.0f ms, published and read back", run, took)

	bad := `{"Records":[{"kinesis":{"sequenceNumber":"7","data":"e30="}}]}`
	if err := c.expect(ctx, []byte(bad), `{"predictions":[],"batchItemFailures":[{"itemIdentifier":"7"}]}`); err != nil {
		return fmt.Errorf("a bad record: %w", err)
	}
	if err := c.fails(ctx, []byte(`{"Records":"none"}`), "not a Kinesis event"); err != nil {
		return fmt.Errorf("no Kinesis event: %w", err)
	}
	if err := c.expect(ctx, t.event, answer(run, minutes)); err != nil {
		return fmt.Errorf("after bad input: %w", err)
	}
	*before = append(*before, prediction(run, minutes))
	t.passed("bad input is answered as such, and what follows it as ever")
	return nil
}

// fails invokes and expects an error with the reason.
func (c *container) fails(ctx context.Context, event []byte, reason string) error {
	got, err := c.invoke(ctx, event)
	if err != nil {
		return err
	}
	var failure struct {
		Message string `json:"errorMessage"`
	}
	if err := json.Unmarshal([]byte(got), &failure); err != nil || !strings.Contains(failure.Message, reason) {
		return fmt.Errorf("the answer is %s, not an error with %q in it", got, reason)
	}
	return nil
}

// failures tests what cannot work: one line in the log, and an error answer.
func (t *tester) failures(ctx context.Context) error {
	newer := filepath.Join(t.temp, "newer")
	if err := os.Mkdir(newer, 0o755); err != nil { //nolint:gosec // read as another user
		return err
	}
	if err := os.WriteFile(filepath.Join(newer, "manifest.json"), []byte(`{"format": 99}`), 0o644); err != nil { //nolint:gosec // the same
		return err
	}
	denying := t.denying()
	forest := t.runs["forest"]
	for _, test := range []struct {
		what, reason string
		options      []string
	}{
		{"a wrong RUN_ID, no bucket", "no bundle of run " + noRun, []string{"-e", "RUN_ID=" + noRun}},
		{"a wrong RUN_ID, in S3", "no bundle of run " + noRun, t.aws(noRun)},
		{"no such bucket", "NoSuchBucket", t.aws(forest, "MODEL_BUCKET=no-such-bucket")},
		{"no access to S3", "AccessDenied", t.aws(forest, "S3_ENDPOINT_URL="+denying)},
		{"no S3 at all", "connection refused", t.aws(forest, "S3_ENDPOINT_URL=http://"+freeAddress())},
		{"no credentials", "finding AWS credentials", []string{"-e", "RUN_ID=" + forest, "-e", "MODEL_BUCKET=" + bucket, "-e", "AWS_REGION=" + ministack.Region}},
		{"a bundle of a newer format", "format 99", []string{"-e", "MODEL_LOCATION=/newer", "-v", newer + ":/newer:ro"}},
		{"no such stream", "ResourceNotFoundException", t.aws(forest, "PREDICTIONS_STREAM_NAME=no-such-stream")},
		{"no access to the stream", "AccessDeniedException", t.aws(forest, "KINESIS_ENDPOINT_URL="+denying)},
	} {
		c, err := t.startFunction(ctx, plain, test.options...)
		if err != nil {
			return err
		}
		err = errors.Join(c.fails(ctx, t.event, test.reason), c.logged(ctx, test.reason))
		took := time.Since(c.began)
		c.remove(ctx)
		if err != nil {
			return fmt.Errorf("%s: %w", test.what, err)
		}
		t.passed("%s: one line in the log and an error, after %.1f s", test.what, took.Seconds())
	}
	return nil
}

// published pushes the image to a registry twice, built twice.
func (t *tester) published(ctx context.Context) error {
	size, err := output(ctx, t.engine, "image", "inspect", "-f", "{{.Size}}", plain)
	if err != nil {
		return err
	}
	bytes, err := strconv.ParseFloat(size, 64)
	if err != nil {
		return err
	}
	t.result.SizeMB = math.Round(bytes/1e5) / 10
	registry := freeAddress()
	crane, err := filepath.Abs(".build/bin/crane")
	if err != nil {
		return err
	}
	if err := t.start(exec.Command(crane, "registry", "serve", "--address", registry)); err != nil { //nolint:noctx // stopped by close
		return err
	}
	if err := until(ctx, func() error { return get(ctx, "http://"+registry+"/v2/", nil) }); err != nil {
		return fmt.Errorf("starting a registry: %w", err)
	}
	if t.result.Digest, err = t.publish(ctx, registry, plain, "v1"); err != nil {
		return err
	}
	if t.result.CompressedMB, err = t.compressed(ctx, registry, t.result.Digest, "v1"); err != nil {
		return err
	}
	if _, err := output(ctx, crane, "validate", "--remote", registry+"/stream-model-duration:v1"); err != nil {
		return err
	}
	t.passed("pushed by version and digest: %.1f MB compressed, %s", t.result.CompressedMB, t.result.Digest)

	if err := t.build(ctx, "-again", again); err != nil {
		return err
	}
	rebuilt, err := t.publish(ctx, registry, again, "again")
	if err != nil {
		return err
	}
	if rebuilt != t.result.Digest {
		return fmt.Errorf("built again, the image has the digest %s, not %s", rebuilt, t.result.Digest)
	}
	t.result.Reproducible = true
	if _, err := output(ctx, t.engine, "rmi", again); err != nil {
		return err
	}
	t.passed("built again, it has the same digest")
	return nil
}

// publish publishes an image and returns its digest.
func (t *tester) publish(ctx context.Context, registry, image, version string) (string, error) {
	repository := registry + "/stream-model-duration"
	cmd := exec.CommandContext(ctx, ".tools/image/publish", image, repository)
	cmd.Env = append(os.Environ(), "VERSION="+version)
	cmd.Stderr = t.stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("publishing %s: %w", image, err)
	}
	name, digest, ok := strings.Cut(strings.TrimSpace(string(out)), "@")
	if !ok || name != repository {
		return "", fmt.Errorf("publishing %s printed %q", image, out)
	}
	return digest, nil
}

// compressed is the size of all that is pulled (MB). Both tags have to be there.
func (t *tester) compressed(ctx context.Context, registry, digest, version string) (float64, error) {
	type blob struct {
		Size float64 `json:"size"`
	}
	var total float64
	for _, tag := range []string{version, strings.Replace(digest, ":", "-", 1)} {
		err := get(ctx, "http://"+registry+"/v2/stream-model-duration/manifests/"+tag, func(r *http.Response) error {
			var manifest struct {
				Config blob   `json:"config"`
				Layers []blob `json:"layers"`
			}
			if got := r.Header.Get("Docker-Content-Digest"); got != digest {
				return fmt.Errorf("tag %s is %s, not %s", tag, got, digest)
			}
			err := json.NewDecoder(r.Body).Decode(&manifest)
			total = manifest.Config.Size
			for _, layer := range manifest.Layers {
				total += layer.Size
			}
			return err
		})
		if err != nil {
			return 0, err
		}
	}
	return math.Round(total/1e5) / 10, nil
}

// architecture builds the image for the other processor, which cannot run
// here, and looks whether its parts fit together.
func (t *tester) architecture(ctx context.Context) error {
	if err := t.build(ctx, "-arch", "arm64", other); err != nil {
		return err
	}
	id, err := output(ctx, t.engine, "create", other)
	if err != nil {
		return err
	}
	defer (&container{engine: t.engine, id: id}).remove(ctx)
	folder := filepath.Join(t.temp, "arm64")
	if err := os.Mkdir(folder, 0o750); err != nil {
		return err
	}
	for _, path := range []string{"/var/task/worker", "/opt/lib"} {
		if _, err := output(ctx, t.engine, "cp", id+":"+path, folder); err != nil {
			return err
		}
	}
	for _, file := range []string{"worker", "lib/libonnxruntime.so"} {
		f, err := elf.Open(filepath.Join(folder, file))
		if err != nil {
			return fmt.Errorf("arm64: %w", err)
		}
		needed, err := f.ImportedLibraries()
		if err := errors.Join(err, f.Close()); err != nil {
			return fmt.Errorf("arm64: reading %s: %w", file, err)
		}
		if f.Machine != elf.EM_AARCH64 {
			return fmt.Errorf("arm64: %s is for %s", file, f.Machine)
		}
		for _, library := range append(needed, "ld-linux-aarch64.so.1") {
			if _, err := os.Stat(filepath.Join(folder, "lib", library)); err != nil {
				return fmt.Errorf("arm64: what %s needs is not in the image: %w", file, err)
			}
		}
	}
	t.passed("for arm64 it is built, and has what it is linked to")
	return nil
}
