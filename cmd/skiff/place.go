package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go/logging"

	"github.com/skiff-ml/skiff/inference/alias"
	"github.com/skiff-ml/skiff/inference/bundle"
	"github.com/skiff-ml/skiff/inference/hint"
	"github.com/skiff-ml/skiff/inference/store"
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
	sdk, err := awsConfig(ctx)
	if err != nil {
		return nil, err
	}
	return &place{models, store.New(sdk, location, s.getenv("S3_ENDPOINT_URL"), "MODEL_BUCKET"), func(run string) (string, bundle.Folder, error) {
		at := models + "/" + run + "/artifacts/onnx"
		folder, err := s.inS3(ctx, at)
		return at, folder, err
	}}, nil
}

// inS3 returns the folder at s3://….
func (s *settings) inS3(ctx context.Context, at string) (*store.Folder, error) {
	location, err := store.ParseLocation(at)
	if err != nil {
		return nil, err
	}
	sdk, err := awsConfig(ctx)
	if err != nil {
		return nil, err
	}
	return store.New(sdk, location, s.getenv("S3_ENDPOINT_URL"), "MODEL_BUCKET"), nil
}

// awsConfig reads what the AWS SDK needs.
func awsConfig(ctx context.Context) (aws.Config, error) {
	cfg, err := config.LoadDefaultConfig(ctx, config.WithLogger(logging.Nop{})) // what goes wrong comes back as an error
	if err != nil {
		return cfg, fmt.Errorf("reading the AWS configuration: %w", err)
	}
	if cfg.Region == "" {
		return cfg, hint.With(errors.New("no AWS region is set"), "set AWS_REGION, for example to us-east-1")
	}
	return cfg, nil
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
func none(at *place, alias string) error {
	return hint.With(fmt.Errorf("there is no alias @%s in %s", alias, at.name), "skiff promote RUN makes it; --models or MODEL_BUCKET says where the runs are")
}
