package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/skiff-ml/skiff/cmd/internal/command"
	"github.com/skiff-ml/skiff/inference/alias"
	"github.com/skiff-ml/skiff/inference/hint"
	"github.com/skiff-ml/skiff/inference/store"
)

// A changing is a folder with files that change. It returns no data of one that
// still has the tag.
type changing interface {
	ReadChanged(ctx context.Context, name, tag string) (data []byte, newTag string, err error)
}

// A pointer is where an alias says which run to serve, and what it said last.
type pointer struct {
	alias  string
	folder changing
	tag    string
	seen   *alias.Pointer
}

// findPointer reads the first pointer there is of these: in models/aliases in
// the working folder or beside the worker, or beside the runs in S3. There it is
// looked at from then on.
func (l *loader) findPointer(ctx context.Context) (*pointer, error) {
	var errs []error
	for _, folder := range runFolders() {
		p := &pointer{alias: l.alias, folder: store.Dir(folder)}
		err := p.look(ctx)
		if err == nil {
			return p, nil
		}
		if !errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("%s: %w", filepath.Join(folder, alias.File(l.alias)), err)
		}
		errs = append(errs, err)
	}
	if l.modelBucket != "" {
		folder, err := l.inS3(ctx, l.runs(), "MODEL_BUCKET")
		if err != nil {
			return nil, err
		}
		p := &pointer{alias: l.alias, folder: folder}
		if err = p.look(ctx); err == nil {
			return p, nil
		}
		if !errors.Is(err, os.ErrNotExist) {
			return nil, err
		}
		errs = append(errs, err)
	}
	advice := fmt.Sprintf("`skiff promote <RUN_ID> --alias %s` makes it", l.alias)
	if l.modelBucket == "" {
		advice += "; for one in S3 set MODEL_BUCKET"
	}
	return nil, hint.With(fmt.Errorf("there is no alias @%s: %w", l.alias, errors.Join(errs...)), advice)
}

// look reads the pointer, unless it is what it was.
func (p *pointer) look(ctx context.Context) error {
	data, tag, err := p.folder.ReadChanged(ctx, alias.File(p.alias), p.tag)
	if err != nil || data == nil {
		return err
	}
	seen, err := alias.Parse(data)
	if err != nil {
		return fmt.Errorf("reading @%s: %w", p.alias, err)
	}
	p.seen, p.tag = seen, tag
	return nil
}

// loadAlias loads the run that the alias stands for. One that cannot be loaded
// must not keep a worker from starting where others serve on with the run
// before: where mayFallBack says so, that run serves here as well, until the
// alias's can be loaded.
func (l *loader) loadAlias(ctx context.Context, p *pointer, log *slog.Logger, mayFallBack bool) (*loaded, error) {
	if !mayFallBack || p.seen.Previous == "" {
		return l.load(ctx, p.seen.RunID, p.seen.Manifest)
	}
	half, cancel := halfOf(ctx)
	defer cancel()
	m, err := l.load(half, p.seen.RunID, p.seen.Manifest)
	if err == nil || ctx.Err() != nil {
		return m, err
	}
	before, otherErr := l.load(ctx, p.seen.Previous, "")
	if otherErr != nil {
		return nil, err
	}
	notChanged(ctx, log, before, p, p.seen, err)
	return before, nil
}

// halfOf returns a context with half of what is left of ctx's time.
func halfOf(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, time.Until(deadline)/2)
}

// notChanged says that a model serves on, and why the wanted one does not, nil
// where nobody knows which that is.
func notChanged(ctx context.Context, log *slog.Logger, serving *loaded, p *pointer, wanted *alias.Pointer, why error) {
	attrs := []slog.Attr{slog.String("run_id", serving.manifest.RunID), slog.String("alias", "@"+p.alias)}
	if wanted != nil {
		attrs = append(attrs, slog.String("wanted", wanted.RunID), slog.Int("revision", wanted.Revision))
	}
	attrs = append(attrs, slog.String("error", command.OneLine(why)))
	if advice := command.Hint(why); advice != "" {
		attrs = append(attrs, slog.String("hint", advice))
	}
	log.LogAttrs(ctx, slog.LevelWarn, "model not changed", attrs...)
}
