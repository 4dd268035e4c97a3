package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/skiff-ml/skiff/inference/bundle"
	"github.com/skiff-ml/skiff/inference/hint"
	"github.com/skiff-ml/skiff/inference/store"
)

// openBundle opens the first bundle there is of these, and says where it was:
// MODEL_LOCATION alone if that is set; models/RUN_ID in the working folder or
// beside the worker; the run's artifacts in S3.
func (l *loader) openBundle(ctx context.Context, runID string, pin *pin) (*bundle.Bundle, string, error) {
	if l.modelLocation != "" {
		b, err := l.openAt(ctx, l.modelLocation, "MODEL_LOCATION", runID, pin)
		return b, l.modelLocation, notFound(err, "MODEL_LOCATION names a bundle's folder or an s3:// prefix")
	}
	var places []string
	for _, folder := range runFolders() {
		places = append(places, filepath.Join(folder, runID))
	}
	if l.modelBucket != "" {
		places = append(places, l.runs()+"/"+runID+"/artifacts/onnx")
	}
	var errs []error
	for _, place := range places {
		b, err := l.openAt(ctx, place, "MODEL_BUCKET", runID, pin)
		if !errors.Is(err, os.ErrNotExist) {
			return b, place, err
		}
		errs = append(errs, err)
	}
	advice := "convert the run with `make convert MODEL=runs:/" + runID + "/model`, or check RUN_ID"
	if l.modelBucket == "" {
		advice += "; for a bundle in S3 set MODEL_BUCKET"
	}
	return nil, "", notFound(fmt.Errorf("no bundle of run %s: %w", runID, errors.Join(errs...)), advice)
}

// runFolders are the folders with a folder for each run: in the working folder,
// and beside the worker.
func runFolders() []string { return []string{"models", filepath.Join(besideWorker(), "models")} }

// runs is what the runs' keys begin with, in S3.
func (l *loader) runs() string { return "s3://" + l.modelBucket + "/" + l.experiment }

func (l *loader) openAt(ctx context.Context, place, variable, runID string, pin *pin) (*bundle.Bundle, error) {
	if !strings.HasPrefix(place, "s3:") {
		return bundle.OpenTrusted(ctx, pinned{bundle.Dir(place), pin}, runID, l.trust)
	}
	folder, err := l.inS3(ctx, place, variable)
	if err != nil {
		return nil, err
	}
	return bundle.OpenTrusted(ctx, pinned{folder, pin}, runID, l.trust)
}

// inS3 returns the folder at place, which the variable names.
func (l *loader) inS3(ctx context.Context, place, variable string) (*store.Folder, error) {
	location, err := store.ParseLocation(place)
	if err != nil {
		return nil, err
	}
	cfg, err := l.aws.config(ctx)
	if err != nil {
		return nil, err
	}
	return store.New(cfg, location, l.s3Endpoint, variable), nil
}

// A pin is the SHA-256 that a bundle's manifest has to have, empty for any, and
// that which it has. The manifest has those of the other files.
type pin struct{ manifest, read string }

// A pinned is a bundle's folder with that manifest.
type pinned struct {
	bundle.Folder
	*pin
}

// ReadFile implements [bundle.Folder].
func (p pinned) ReadFile(ctx context.Context, name string) ([]byte, error) {
	data, err := p.Folder.ReadFile(ctx, name)
	if err != nil || name != bundle.ManifestFile {
		return data, err
	}
	hash := sha256.Sum256(data)
	if p.read = hex.EncodeToString(hash[:]); p.manifest != "" && p.read != p.manifest {
		return nil, hint.With(fmt.Errorf("%s %w since it was promoted: its sha256 is %.12s…, and was %.12s…", name, bundle.ErrAltered, p.read, p.manifest),
			"a bundle never changes: restore it, or promote it again, which proves it")
	}
	return data, nil
}

// notFound adds advice to an error that a file isn't there.
func notFound(err error, advice string) error {
	if errors.Is(err, os.ErrNotExist) && hint.Of(err) == "" {
		return hint.With(err, advice)
	}
	return err
}
