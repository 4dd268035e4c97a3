package main

import (
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"

	"github.com/skiff-ml/skiff/inference/bundle"
	"github.com/skiff-ml/skiff/inference/hint"
)

// manifest is what the local stack has to know of a bundle's manifest.json.
type manifest struct {
	runID      string
	id         string   // the field with the ride's id
	idPath     []string // to it, in a ride's record
	prediction string   // the field with the prediction, and its unit
	unit       string
	limit      float64 // of trip_distance: the magnitude from which it is no number to the model; 0 for none but float64's
}

// readManifest reads the manifest of the bundle in a folder.
func readManifest(dir string) (manifest, error) {
	var m manifest
	file := filepath.Join(dir, bundle.ManifestFile)
	data, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return m, hint.With(fmt.Errorf("there is no bundle in %s", shown(dir)), "make convert makes one; the runs that are there: ls models")
	}
	if err != nil {
		return m, fmt.Errorf("reading the bundle: %w", err)
	}
	read, err := bundle.ParseManifest(data)
	if err != nil {
		return m, fmt.Errorf("reading %s: %w", shown(file), err)
	}
	m = manifest{runID: read.RunID, prediction: read.Outputs[0].Name, unit: read.Outputs[0].Unit}
	if read.ID != nil {
		m.id, m.idPath = read.ID.Name, read.ID.Path
	}
	for _, c := range read.Columns {
		if c.Name == "trip_distance" && c.Limit != nil {
			m.limit = *c.Limit
		}
	}
	return m, nil
}

// bundlePrefix is the place of a run's bundle in the bucket, where MLflow's log_artifacts puts it too.
func bundlePrefix(s settings) string {
	return path.Join(s.experiment, s.runID, "artifacts", "onnx") + "/"
}
