package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/skiff-ml/skiff/inference/hint"
)

const (
	orderBytes = 256 << 10   // of an event that orders files to be scored, at most: Step Functions' own limit
	answerTime = time.Second // of an invocation, for saying that the rest was not enough
)

// scoreFolder is what the name of a folder begins with that has a file's
// predictions until they are in S3.
const scoreFolder = "skiff-score-"

// errTimeUp is that an invocation's time is.
var errTimeUp = errors.New("the invocation's time is up")

// An order is a file to score, in S3, and where its predictions go there.
type order struct {
	Score string `json:"score"`
	To    string `json:"to"`
}

// Orders are one, or those that a distributed map of Step Functions hands over
// at once.
type orders struct {
	order
	Items      []order
	BatchInput json.RawMessage // what the map has for all, which is nothing here
}

// readOrders returns the orders that an event is, or nil where it is another one.
func readOrders(event []byte) *orders {
	if len(event) > orderBytes || !bytes.Contains(event, []byte(`"score"`)) {
		return nil
	}
	var o orders
	d := json.NewDecoder(bytes.NewReader(event))
	d.DisallowUnknownFields()
	if d.Decode(&o) != nil || d.More() {
		return nil
	}
	first := o.order
	if len(o.Items) > 0 {
		first = o.Items[0]
	}
	if !inS3(first.Score) {
		return nil
	}
	return &o
}

// A scorer scores files in S3, where an event says so, and leaves all others to
// the handler.
type scorer struct {
	worker  *worker
	handler lambda.Handler
	log     *slog.Logger
}

// Invoke implements [lambda.Handler].
func (s scorer) Invoke(ctx context.Context, event []byte) ([]byte, error) {
	o := readOrders(event)
	if o == nil {
		return s.handler.Invoke(ctx, event)
	}
	response, err := s.score(ctx, o)
	if err != nil {
		s.log.LogAttrs(ctx, slog.LevelError, "invocation failed", slog.String("error", err.Error()))
	}
	return response, err
}

// score answers with what became of each file. What is done before an error stays
// so, and is not done again by the next invocation.
func (s scorer) score(ctx context.Context, o *orders) ([]byte, error) {
	if c := s.worker.loader.canary.runID; c != "" {
		return nil, hint.With(fmt.Errorf("files are one run's, and there is a canary, %s", c), "score them with a function of their own")
	}
	if deadline, ok := ctx.Deadline(); ok {
		timed, cancel := context.WithDeadlineCause(ctx, deadline.Add(-answerTime), errTimeUp)
		defer cancel()
		ctx = timed
	}
	if len(o.Items) == 0 {
		done, err := s.file(ctx, o.order)
		if err != nil {
			return nil, err
		}
		return json.Marshal(done)
	}
	scored := []summary{}
	for i, item := range o.Items {
		if strings.HasSuffix(item.Score, "/") {
			continue // the console makes an object of a folder, and a listing has it
		}
		done, err := s.file(ctx, item)
		if err != nil {
			return nil, fmt.Errorf("file %d of %d: %w", i+1, len(o.Items), err)
		}
		scored = append(scored, done)
	}
	return json.Marshal(struct {
		Scored []summary `json:"scored"`
	}{scored})
}

// file scores one.
func (s scorer) file(ctx context.Context, o order) (done summary, err error) {
	if !inS3(o.Score) || !inS3(o.To) {
		return done, hint.With(fmt.Errorf("an event has a file %q to score, and its predictions to go to %q", o.Score, o.To),
			`it is {"score": "s3://bucket/key.jsonl", "to": "s3://bucket/key.jsonl"}, or {"Items": [...]} of those`)
	}
	if err := checkPredictions(o.To); err != nil {
		return done, err
	}
	folder, err := os.MkdirTemp("", scoreFolder)
	if err != nil {
		return done, err
	}
	defer func() { err = join(err, os.RemoveAll(folder)) }()
	job := &scoring{
		loader: s.worker.loader, manifest: &s.worker.serving.Load().manifest, model: s.worker.current,
		from: o.Score, to: o.To, names: [2]string{"score", "to"}, folder: folder,
	}
	done, err = job.run(ctx)
	if err != nil {
		if errors.Is(context.Cause(ctx), errTimeUp) {
			if !errors.Is(err, errTimeUp) {
				err = fmt.Errorf("%w: %w", errTimeUp, err)
			}
			err = hint.With(fmt.Errorf("%w; nothing is written", err), "raise the function's timeout or its memory, which its speed goes by, or make the files smaller")
		}
		return done, err
	}
	s.log.LogAttrs(ctx, slog.LevelInfo, "scored", slog.String("file", o.Score), slog.String("predictions", o.To), slog.String("run_id", done.RunID),
		slog.Int("lines", done.Lines), slog.Int("predicted", done.Predicted), slog.Int("rejected", done.Rejected), slog.Bool("before", done.Before))
	return done, nil
}

// removeLeftovers removes what a process before this one has left, which Lambda
// ended: its execution environment, and the files in it, stay.
func removeLeftovers(log *slog.Logger) {
	left, err := filepath.Glob(filepath.Join(os.TempDir(), scoreFolder+"*"))
	for _, folder := range left {
		err = errors.Join(err, os.RemoveAll(folder))
	}
	if err != nil {
		log.Warn("leftovers stay", slog.String("error", err.Error()))
	}
}
