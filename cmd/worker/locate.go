package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"skiff/inference/bundle"
	"skiff/inference/hint"
	"skiff/inference/store"
)

// openBundle opens the first bundle there is of these, and says where it was:
// MODEL_LOCATION alone if that is set; models/RUN_ID in the working folder or
// beside the worker; the run's artifacts in S3.
func openBundle(ctx context.Context, c *config, lazy *lazyAWS) (*bundle.Bundle, string, error) {
	if c.modelLocation != "" {
		b, err := openAt(ctx, c, lazy, c.modelLocation)
		return b, c.modelLocation, notFound(err, "MODEL_LOCATION names a bundle's folder or an s3:// prefix")
	}
	places := []string{
		filepath.Join("models", c.runID),
		filepath.Join(besideWorker(), "models", c.runID),
	}
	if c.modelBucket != "" {
		places = append(places, fmt.Sprintf("s3://%s/%s/%s/artifacts/onnx", c.modelBucket, c.experiment, c.runID))
	}
	var errs []error
	for _, place := range places {
		b, err := openAt(ctx, c, lazy, place)
		if !errors.Is(err, os.ErrNotExist) {
			return b, place, err
		}
		errs = append(errs, err)
	}
	advice := "convert the run with `make convert MODEL=runs:/" + c.runID + "/model`, or check RUN_ID"
	if c.modelBucket == "" {
		advice += "; for a bundle in S3 set MODEL_BUCKET"
	}
	return nil, "", notFound(fmt.Errorf("no bundle of run %s: %w", c.runID, errors.Join(errs...)), advice)
}

func openAt(ctx context.Context, c *config, lazy *lazyAWS, place string) (*bundle.Bundle, error) {
	if !strings.HasPrefix(place, "s3:") {
		return bundle.OpenTrusted(ctx, bundle.Dir(place), c.runID, c.trust)
	}
	location, err := store.ParseLocation(place)
	if err != nil {
		return nil, err
	}
	cfg, err := lazy.config(ctx)
	if err != nil {
		return nil, err
	}
	variable := "MODEL_BUCKET"
	if c.modelLocation != "" {
		variable = "MODEL_LOCATION"
	}
	return bundle.OpenTrusted(ctx, store.New(cfg, location, c.s3Endpoint, variable), c.runID, c.trust)
}

// notFound adds advice to an error that a file isn't there.
func notFound(err error, advice string) error {
	if errors.Is(err, os.ErrNotExist) && hint.Of(err) == "" {
		return hint.With(err, advice)
	}
	return err
}
