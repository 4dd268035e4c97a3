package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"

	"skiff/inference/hint"
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
		return m, hint.With(fmt.Errorf("there is no bundle in %s", shown(dir)), "make convert makes one; the runs that are there: ls models")
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
