//go:build image

package image

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"
	"time"

	"github.com/skiff-ml/skiff/cmd/tools/internal/taxi"
)

// deadline is the most that the tests may take.
const deadline = 10 * time.Minute

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
	forestMinutes = "15.386596482840584"
	linearMinutes = "14.594111351870303"
)

// A tester is the state of the tests.
type tester struct {
	t      *testing.T // the whole test: what is started stays to its end
	began  time.Time
	engine string
	temp   string
	event  []byte
	runs   map[string]string // by kind
	stand  *standIns
	result result
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

// TestImage tests the image in parts, in order: each needs what the ones before
// it started. What was measured goes to a file, as one JSON object.
func TestImage(t *testing.T) {
	const results = ".build/image/result.json"
	it, ctx := newTester(t)
	if err := it.prepare(ctx); err != nil {
		t.Fatal(err)
	}
	for _, part := range []struct {
		name string
		test func(context.Context) error
	}{
		{"Tutorial", it.tutorial},
		{"Inside", it.inside},
		{"FromS3", it.fromS3},
		{"Failures", it.failures},
		{"Published", it.published},
	} {
		ok := t.Run(part.name, func(t *testing.T) {
			if err := part.test(ctx); err != nil {
				t.Fatal(err)
			}
		})
		if !ok {
			t.FailNow()
		}
	}
	line, err := json.Marshal(it.result)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(results, append(line, '\n'), 0o600); err != nil {
		t.Fatal(err)
	}
}

// newTester returns a tester in the project's folder. Its context ends when the
// test is interrupted: what was started is stopped all the same.
func newTester(t *testing.T) (*tester, context.Context) {
	t.Helper()
	t.Chdir("../../..")
	engine := os.Getenv("ENGINE")
	if engine == "" {
		t.Fatal("ENGINE is not set: make image-test sets it")
	}
	ctx, stop := signal.NotifyContext(t.Context(), os.Interrupt, syscall.SIGTERM)
	t.Cleanup(stop)
	ctx, cancel := context.WithTimeout(ctx, deadline)
	t.Cleanup(cancel)
	return &tester{t: t, began: time.Now(), engine: engine, temp: t.TempDir(), result: result{Engine: engine}}, ctx
}

// passed counts a check and says so.
func (t *tester) passed(format string, args ...any) {
	t.result.Checks++
	fmt.Fprintf(os.Stderr, "image: %3.0f s  ok: %s\n", time.Since(t.began).Seconds(), fmt.Sprintf(format, args...))
}

// prepare builds the images and reads what the tests need.
func (t *tester) prepare(ctx context.Context) error {
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
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("building %s: %w", args[len(args)-1], err)
	}
	return nil
}
