package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"github.com/skiff-ml/skiff/inference/alias"
	"github.com/skiff-ml/skiff/inference/bundle"
)

// whichRun is how a command that is about one bundle has it named.
const whichRun = `RUN is the folder of a bundle, an s3:// location, an MLflow run id, runs:/ID, models:/NAME@ALIAS or models:/NAME/VERSION, or @ALIAS.
Runs and aliases are looked for where --models says.`

// A named is the bundle that a command is about.
type named struct {
	run      string // empty: the bundle says
	location string // a folder, or s3://…
	folder   bundle.Folder
}

// find returns the bundle that is named so.
func (s *settings) find(ctx context.Context, name string) (*named, error) {
	switch {
	case isFile(filepath.Join(name, bundle.ManifestFile)), isPath(name):
		dir, err := filepath.Abs(name)
		return &named{"", dir, bundle.Dir(dir)}, err
	case strings.HasPrefix(name, "s3:"):
		folder, err := s.inS3(ctx, name)
		return &named{"", name, folder}, err
	}
	at, err := s.place(ctx)
	if err != nil {
		return nil, err
	}
	run, err := s.resolve(ctx, at, name)
	if err != nil {
		return nil, err
	}
	return at.named(run)
}

// resolve returns the run that a name stands for, which may be an alias's.
func (s *settings) resolve(ctx context.Context, at *place, name string) (string, error) {
	if of, ok := alias.Of(name); ok {
		return runOfAlias(ctx, at, of)
	}
	return s.runOf(ctx, name)
}

// named returns a run's bundle in the place.
func (p *place) named(run string) (*named, error) {
	if err := bundle.CheckRunID(run); err != nil {
		return nil, err
	}
	location, folder, err := p.bundle(run)
	return &named{run, location, folder}, err
}

// runOfAlias returns the run that an alias stands for.
func runOfAlias(ctx context.Context, at *place, name string) (string, error) {
	if err := alias.Check(name); err != nil {
		return "", err
	}
	p, _, err := alias.Read(ctx, at.files, name)
	if err != nil {
		return "", err
	}
	if p == nil {
		return "", none(at, name)
	}
	return p.RunID, nil
}

// isPath reports whether a name can be nothing but a folder's: it has a separator,
// and no scheme before it.
func isPath(name string) bool {
	before, _, found := strings.Cut(name, string(os.PathSeparator))
	return found && !strings.HasSuffix(before, ":")
}
