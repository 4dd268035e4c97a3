package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/skiff-ml/skiff/cmd/internal/lambdatest/ministack"
	"github.com/skiff-ml/skiff/cmd/internal/localstate"
	"github.com/skiff-ml/skiff/inference/alias"
	"github.com/skiff-ml/skiff/inference/bundle"
	"github.com/skiff-ml/skiff/inference/store"
)

// upRefresh is the MODEL_REFRESH_SECONDS of a stack that is up: who tries does not want to wait.
const upRefresh = "1"

// followAlias has the worker serve what the alias stands for, at first the run of the settings, and puts all runs into the bucket that are
// beside it: any may be promoted.
func (st *stack) followAlias(ctx context.Context) error {
	s := st.settings
	runs, err := os.ReadDir(filepath.Dir(s.model))
	if err != nil {
		return fmt.Errorf("reading the bundles: %w", err)
	}
	for _, run := range runs {
		other := s
		other.runID, other.model = run.Name(), filepath.Join(filepath.Dir(s.model), run.Name())
		if _, err := os.Stat(filepath.Join(other.model, bundle.ManifestFile)); err != nil || other.model == s.model {
			continue
		}
		if err := st.ministack.Upload(ctx, localstate.ModelBucket, bundlePrefix(other), other.model); err != nil {
			return err
		}
	}
	location, err := store.ParseLocation("s3://" + localstate.ModelBucket + "/" + s.experiment)
	if err != nil {
		return err
	}
	keys := credentials.NewStaticCredentialsProvider(ministack.AccessKey, ministack.AccessKey, "")
	files := store.New(aws.Config{Region: ministack.Region, Credentials: keys}, location, st.ministack.Endpoint, "-experiment")
	move, err := alias.PlanPromote(ctx, files, s.alias, s.runID, time.Now())
	if err != nil {
		return err
	}
	st.env = append(st.env, "RUN_ID=@"+s.alias, "MODEL_REFRESH_SECONDS="+upRefresh)
	if move.From != nil && move.From.RunID == s.runID { // it is kept over down and up
		return nil
	}
	return move.Make(ctx, files)
}

// aboutAlias says how to change what an alias stands for.
func aboutAlias(name string) string {
	if name == "" {
		return ""
	}
	return fmt.Sprintf(`
export MODEL_BUCKET=%s
skiff promote RUN --alias %s, rollback, history: @%s is looked at once a second
`, localstate.ModelBucket, name, name)
}
