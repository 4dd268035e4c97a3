package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/skiff-ml/skiff/inference/backfill"
	"github.com/skiff-ml/skiff/inference/hint"
	"github.com/skiff-ml/skiff/inference/store"
)

// predictionsOf returns where the predictions for a file go: beside it.
func predictionsOf(file string) string {
	base := strings.TrimSuffix(file, ".gz")
	for _, kind := range []string{".jsonl", ".ndjson", ".parquet"} {
		if of, ok := strings.CutSuffix(base, kind); ok {
			base = of
			break
		}
	}
	return base + ".predictions.jsonl"
}

// checkPredictions returns an error for what is no file of JSON lines.
func checkPredictions(to string) error {
	for _, kind := range []string{".gz", ".parquet"} {
		if strings.HasSuffix(to, kind) {
			return hint.With(fmt.Errorf("predictions are JSON lines, and %s is called %s", to, kind), "name it .jsonl; `gzip` compresses it afterwards")
		}
	}
	return nil
}

// rejectedName is what the dead letters are called, behind the predictions' name.
const rejectedName = ".rejected"

// A target is where predictions go.
type target struct {
	file     string        // on disk: the target itself, or what is on its way to S3
	object   *store.Object // nil: on disk
	rejected *store.Object
	done     *summary // it has been done before
}

func (t *target) keeps() bool { return t.object != nil }

// target finds where the predictions go, and looks whether they are there.
func (s *scoring) target(ctx context.Context, from *origin) (*target, error) {
	if !inS3(s.to) {
		return &target{file: s.to}, nil
	}
	object, err := s.object(ctx, s.to, s.names[1])
	if err != nil {
		return nil, err
	}
	rejected, err := s.object(ctx, s.to+rejectedName, s.names[1])
	if err != nil {
		return nil, err
	}
	hash := sha256.Sum256([]byte(s.to))
	t := &target{
		file:   filepath.Join(s.folder, path.Base(s.to)+"."+hex.EncodeToString(hash[:4])+".part"),
		object: object, rejected: rejected,
	}
	there, err := object.Stat(ctx)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return t, nil
	case err != nil:
		return nil, err
	}
	if t.done, err = s.before(there, from); err != nil {
		return nil, err
	}
	return t, nil
}

// The metadata of predictions: what they are of. The names are S3's, lower case.
const (
	keyRun, keySource, keyBytes, keyMeta = "skiff-run", "skiff-source-etag", "skiff-source-bytes", "skiff-meta"
	keyLines, keyPredicted, keyRejected  = "skiff-lines", "skiff-predicted", "skiff-rejected"
)

// before returns what was made of the same object with the same run, which is
// not done again; or that what is there is something else.
func (s *scoring) before(there store.About, from *origin) (*summary, error) {
	about := backfill.Progress{RunID: s.manifest.RunID, FileBytes: from.about.Bytes, Tag: from.about.Tag, Meta: s.loader.outgoing.Meta}
	same := about.Tag != ""
	for key, value := range metadata(about) {
		if key == keyLines || key == keyPredicted || key == keyRejected {
			continue
		}
		same = same && there.Metadata[key] == value
	}
	if !same {
		return nil, hint.With(fmt.Errorf("%s is there already, and is not what this run makes of that object", s.to), "remove it, or name another with "+s.names[1])
	}
	done := &summary{RunID: s.manifest.RunID, Predictions: s.to, Before: true}
	for key, n := range map[string]*int{keyLines: &done.Lines, keyPredicted: &done.Predicted, keyRejected: &done.Rejected} {
		var err error
		if *n, err = strconv.Atoi(there.Metadata[key]); err != nil {
			return nil, fmt.Errorf("reading what is said of %s: %s: %w", s.to, key, err)
		}
	}
	return done, nil
}

func metadata(p backfill.Progress) map[string]string {
	return map[string]string{
		keyRun: p.RunID, keySource: strings.Trim(p.Tag, `"`), keyBytes: strconv.FormatInt(p.FileBytes, 10), keyMeta: strconv.FormatBool(p.Meta),
		keyLines: strconv.Itoa(p.Lines), keyPredicted: strconv.Itoa(p.Predicted), keyRejected: strconv.Itoa(p.Rejected),
	}
}

// publish has predictions for S3 there: at last, when the dead letters are, so
// that what is there is whole. Somebody else may have been faster, with the same.
func (t *target) publish(ctx context.Context, p backfill.Progress) error {
	if t.object == nil {
		return nil
	}
	if err := upload(ctx, t.rejected, t.file+rejectedName, nil, true); err != nil {
		return err
	}
	if err := upload(ctx, t.object, t.file, metadata(p), false); err != nil {
		return err
	}
	for _, name := range []string{t.file, t.file + rejectedName, t.file + ".progress"} {
		if err := os.Remove(name); err != nil {
			return err
		}
	}
	return nil
}

func upload(ctx context.Context, object *store.Object, name string, metadata map[string]string, anew bool) error {
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(object.Write(ctx, file, metadata, anew), file.Close())
}
