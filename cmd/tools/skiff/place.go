package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/aws/aws-sdk-go-v2/config"

	"skiff/inference/alias"
	"skiff/inference/bundle"
	"skiff/inference/hint"
	"skiff/inference/store"
)

// A place is where the runs are, and beside them the aliases.
type place struct {
	name   string
	files  alias.Files
	bundle func(run string) (location string, folder bundle.Folder, err error)
}

// place returns the place that the flag names, or else MODEL_BUCKET, or else
// the folder models.
func (s *settings) place(ctx context.Context) (*place, error) {
	models := s.models
	if bucket := s.getenv("MODEL_BUCKET"); models == "" && bucket != "" {
		experiment := s.getenv("MLFLOW_EXPERIMENT_ID")
		if experiment == "" {
			experiment = "1"
		}
		models = "s3://" + bucket + "/" + experiment
	}
	if models == "" {
		models = "models"
	}
	if !strings.HasPrefix(models, "s3:") {
		return &place{models, store.Dir(models), func(run string) (string, bundle.Folder, error) {
			dir, err := filepath.Abs(filepath.Join(models, run))
			return dir, bundle.Dir(dir), err
		}}, nil
	}
	models = strings.TrimSuffix(models, "/")
	location, err := store.ParseLocation(models)
	if err != nil {
		return nil, err
	}
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the AWS configuration: %w", err)
	}
	if cfg.Region == "" {
		return nil, hint.With(errors.New("no AWS region is set"), "set AWS_REGION, for example to us-east-1")
	}
	endpoint := s.getenv("S3_ENDPOINT_URL")
	return &place{models, store.New(cfg, location, endpoint, "MODEL_BUCKET"), func(run string) (string, bundle.Folder, error) {
		at := models + "/" + run + "/artifacts/onnx"
		location, err := store.ParseLocation(at)
		return at, store.New(cfg, location, endpoint, "MODEL_BUCKET"), err
	}}, nil
}

// manifest returns the SHA-256 of a run's manifest.
func (p *place) manifest(ctx context.Context, run string) (string, error) {
	_, folder, err := p.bundle(run)
	if err != nil {
		return "", err
	}
	data, err := folder.ReadFile(ctx, bundle.ManifestFile)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:]), nil
}

// none is that there is no such alias.
func (s *settings) none(at *place) error {
	return hint.With(fmt.Errorf("there is no alias @%s in %s", s.alias, at.name), "skiff promote RUN makes it; --models or MODEL_BUCKET says where the runs are")
}
