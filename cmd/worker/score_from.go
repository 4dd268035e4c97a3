package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/skiff-ml/skiff/inference/backfill"
	"github.com/skiff-ml/skiff/inference/bundle"
	"github.com/skiff-ml/skiff/inference/hint"
	"github.com/skiff-ml/skiff/inference/store"
)

// rowsProgram writes the rows of a parquet file as JSON lines. It is beside the
// worker, and of another module: most have no use for it.
const rowsProgram = "rows"

func inS3(place string) bool { return strings.HasPrefix(place, "s3:") }

// An origin is a file to predict for, before it is opened.
type origin struct {
	file   string // on disk; empty: in S3
	object *store.Object
	about  store.About
	copied string // of what is in S3, on disk; empty: none
}

// OpenAt implements [backfill.Ranger] for what is in S3.
func (s *origin) OpenAt(ctx context.Context, offset int64) (io.ReadCloser, error) {
	return s.object.OpenAt(ctx, s.about, offset)
}

// discard removes the copy.
func (s *origin) discard() error {
	if s.copied == "" {
		return nil
	}
	return os.Remove(s.copied)
}

// source finds the file.
func (s *scoring) source(ctx context.Context) (*origin, error) {
	if !inS3(s.from) {
		return &origin{file: s.from}, nil
	}
	object, err := s.object(ctx, s.from, s.names[0])
	if err != nil {
		return nil, err
	}
	about, err := object.Stat(ctx)
	if errors.Is(err, os.ErrNotExist) {
		err = hint.With(err, "look for it with `aws s3 ls`: its key is all that is behind the bucket")
	}
	return &origin{object: object, about: about}, err
}

func (s *scoring) object(ctx context.Context, place, name string) (*store.Object, error) {
	cfg, err := s.loader.aws.config(ctx)
	if err != nil {
		return nil, err
	}
	return store.NewObject(cfg, place, s.loader.s3Endpoint, name)
}

// input returns the lines of the file: its own, or those that another program
// makes of it.
func (s *scoring) input(ctx context.Context, from *origin, to *target) (*backfill.Input, error) {
	isParquet := strings.HasSuffix(s.from, ".parquet")
	switch {
	case !isParquet && from.file != "":
		return backfill.File(from.file)
	case !isParquet:
		return backfill.Stored(s.from, from.about.Bytes, from.about.Tag, from), nil
	}
	program, err := findRows()
	if err != nil {
		return nil, err
	}
	file := from.file
	if file == "" { // its end says where its parts are
		if err := from.copy(ctx, to.file+".parquet"); err != nil {
			return nil, err
		}
		file = from.copied
	}
	return s.rows(ctx, program, file, from.about.Tag)
}

// copy copies what is in S3 to a file.
func (s *origin) copy(ctx context.Context, name string) error {
	body, err := s.OpenAt(ctx, 0)
	if err != nil {
		return err
	}
	file, err := os.Create(name)
	if err != nil {
		return errors.Join(err, body.Close())
	}
	s.copied = name
	_, err = io.Copy(file, body)
	return errors.Join(err, file.Close(), body.Close())
}

func findRows() (string, error) {
	program := filepath.Join(besideWorker(), rowsProgram)
	if _, err := os.Stat(program); err != nil {
		return "", hint.With(errors.New("the program that reads parquet files, "+rowsProgram+", is not beside the worker"),
			"`make rows` builds it there; or write the file as JSON lines")
	}
	return program, nil
}

// rows returns the rows of a parquet file, of which the program writes what the
// model wants to know.
func (s *scoring) rows(ctx context.Context, program, file, tag string) (*backfill.Input, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	wanted, err := json.Marshal(wantedBy(s.manifest))
	if err != nil {
		return nil, err
	}
	args := []string{"-want", string(wanted)}
	if id := s.manifest.ID; id != nil {
		path, err := json.Marshal(id.Path)
		if err != nil {
			return nil, err
		}
		args = append(args, "-number", string(path))
	}
	run := func(ctx context.Context, more ...string) *exec.Cmd {
		cmd := exec.CommandContext(ctx, program, append(append(more, args...), file)...)
		cmd.Env = []string{} // it needs none, least of all credentials
		return cmd
	}
	count := backfill.Written(s.from, info.Size(), tag, 1, func(ctx context.Context, _ int) (*exec.Cmd, error) { return run(ctx, "-count"), nil })
	text, err := count.Open(ctx, backfill.Place{})
	if err != nil {
		return nil, err
	}
	line, err := io.ReadAll(text)
	if err := join(err, text.Close()); err != nil {
		return nil, err
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(line)))
	if err != nil {
		return nil, fmt.Errorf("counting the rows of %s: %w", s.from, err)
	}
	return backfill.Written(s.from, info.Size(), tag, n, func(ctx context.Context, skip int) (*exec.Cmd, error) {
		return run(ctx, "-skip", strconv.Itoa(skip)), nil
	}), nil
}

// wantedBy returns the paths of all that a model reads of a document.
func wantedBy(m *bundle.Manifest) (paths [][]string) {
	add := func(path []string) {
		if len(path) > 0 {
			paths = append(paths, path)
		}
	}
	for i := range m.Columns {
		c := &m.Columns[i]
		add(c.Path)
		for t := range c.Template {
			add(c.Template[t].Path)
		}
		for w := range c.Words {
			add(c.Words[w].Path)
		}
	}
	if m.ID != nil {
		add(m.ID.Path)
	}
	return paths
}
