//go:build image

package image

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/skiff-ml/skiff/cmd/internal/lambdatest/ministack"
)

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
		"-e", "REPORT_BATCH_ITEM_FAILURES=True",
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
