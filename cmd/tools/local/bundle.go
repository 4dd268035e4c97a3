package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"skiff/inference"
)

// modelBucket is where MLflow keeps its artifacts, in the local stack.
const modelBucket = "mlflow-models"

// manifest is what the local stack has to know of a bundle's manifest.json.
type manifest struct {
	RunID string `json:"run_id"`
	ID    struct {
		Name string `json:"name"`
	} `json:"id"`
	Prediction struct {
		Name string `json:"name"`
		Unit string `json:"unit"`
	} `json:"prediction"`
}

// readManifest reads the manifest of the bundle in a folder.
func readManifest(dir string) (manifest, error) {
	var m manifest
	data, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
	if errors.Is(err, os.ErrNotExist) {
		return m, inference.WithHint(fmt.Errorf("there is no bundle in %s", shown(dir)), "make convert makes one; the runs that are there: ls models")
	}
	if err != nil {
		return m, fmt.Errorf("reading the bundle: %w", err)
	}
	if err := json.Unmarshal(data, &m); err != nil {
		return m, fmt.Errorf("reading %s: %w", shown(filepath.Join(dir, "manifest.json")), err)
	}
	return m, nil
}

// bundlePrefix is the place of a run's bundle in the bucket, where MLflow's log_artifacts puts it too.
func bundlePrefix(s settings) string {
	return path.Join(s.experiment, s.runID, "artifacts", "onnx") + "/"
}

// upload makes the bucket and puts every file of the bundle there.
func upload(ctx context.Context, client *s3.Client, s settings) error {
	bucket := modelBucket
	if _, err := client.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &bucket}); err != nil {
		if owned := (*types.BucketAlreadyOwnedByYou)(nil); !errors.As(err, &owned) {
			return fmt.Errorf("making bucket %s: %w", bucket, err)
		}
	}
	entries, err := os.ReadDir(s.model)
	if err != nil {
		return fmt.Errorf("reading the bundle: %w", err)
	}
	for _, e := range entries {
		if !e.Type().IsRegular() {
			continue
		}
		if err := uploadFile(ctx, client, filepath.Join(s.model, e.Name()), bundlePrefix(s)+e.Name()); err != nil {
			return err
		}
	}
	return nil
}

func uploadFile(ctx context.Context, client *s3.Client, file, key string) error {
	bucket := modelBucket
	f, err := os.Open(file)
	if err != nil {
		return fmt.Errorf("reading the bundle: %w", err)
	}
	defer func() { _ = f.Close() }()
	if _, err := client.PutObject(ctx, &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: f}); err != nil {
		return fmt.Errorf("uploading %s: %w", filepath.Base(file), err)
	}
	return nil
}
