package bundle

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// The files of a bundle.
const (
	ManifestFile = "manifest.json"
	ModelFile    = "model.onnx"
	FastFile     = "fast.onnx" // not of every bundle
	GoldenFile   = "golden.jsonl"
	SketchFile   = "sketch.json" // not of every bundle
)

// What is wrong with a bundle that is there.
var (
	ErrRunID      = errors.New("not a run id")                      // the id could not name a folder
	ErrOtherRun   = errors.New("another run")                       // than the one asked for
	ErrFormat     = errors.New("a later version of skiff wrote it") // than this one
	ErrInvalid    = errors.New("the bundle makes no sense")         // it was written wrongly, or altered
	ErrIncomplete = errors.New("is not whole")                      // a file is missing
	ErrAltered    = errors.New("was altered")                       // a file's checksum differs
)

// A Bundle is a model ready to be served: its folder read and its checksums
// verified. Package model proves it.
type Bundle struct {
	Manifest Manifest
	Model    []byte // ONNX
	Fast     []byte // the same with skiff's own operators; nil where there is none
	Goldens  []Golden

	folder Folder // for what is read later, or never
}

// A Folder reads the files of a bundle, none of more than [MaxBytes]. A file
// that isn't there is an error that wraps [os.ErrNotExist].
type Folder interface {
	ReadFile(ctx context.Context, name string) ([]byte, error)
}

// Open reads a bundle and checks that it is whole, unaltered, of a format this
// package knows and, where runID isn't empty, of that run.
func Open(ctx context.Context, folder Folder, runID string) (*Bundle, error) {
	return OpenTrusted(ctx, folder, runID, Trust{})
}

// OpenTrusted is Open of a bundle that has to be trusted: nothing is made of
// another one's files.
func OpenTrusted(ctx context.Context, folder Folder, runID string, trust Trust) (*Bundle, error) {
	raw, err := folder.ReadFile(ctx, ManifestFile)
	if err != nil {
		return nil, err
	}
	if err := trust.check(ctx, folder, raw); err != nil {
		return nil, err
	}
	m, err := ParseManifest(raw)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", ManifestFile, err)
	}
	if runID != "" && m.RunID != runID {
		return nil, fmt.Errorf("the bundle is of %w: %s, not %s", ErrOtherRun, m.RunID, runID)
	}
	b := &Bundle{Manifest: *m, folder: folder}
	if b.Model, err = readVerified(ctx, folder, ModelFile, m); err != nil {
		return nil, err
	}
	if m.Files[FastFile] != "" {
		if b.Fast, err = readVerified(ctx, folder, FastFile, m); err != nil {
			return nil, err
		}
	}
	goldens, err := readVerified(ctx, folder, GoldenFile, m)
	if err != nil {
		return nil, err
	}
	if b.Goldens, err = parseGoldens(goldens, m); err == nil {
		err = checkBounds(b.Goldens)
	}
	if err != nil {
		return nil, fmt.Errorf("reading %s of run %s: %w: %w", GoldenFile, m.RunID, ErrInvalid, err)
	}
	return b, nil
}

// ParseManifest reads a manifest of any format up to this package's. Of a
// later one it says just that: it may have words that are not known here.
func ParseManifest(raw []byte) (*Manifest, error) {
	if err := checkValues(raw); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	var v struct {
		Format int `json:"format"`
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	m, err := parseFormat(raw, v.Format)
	if err != nil {
		return nil, err
	}
	if err := m.check(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if m.Fingerprint, err = fingerprint(raw); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return m, nil
}

func parseFormat(raw []byte, format int) (*Manifest, error) {
	var m *Manifest
	var err error
	switch {
	case format == 1:
		var old manifest1
		var next *manifest2
		if err = unmarshalManifest(raw, &old); err == nil {
			next, err = old.upgrade()
		}
		if err == nil {
			m, err = next.upgrade()
		}
	case format == 2:
		var old manifest2
		if err = unmarshalManifest(raw, &old); err == nil {
			m, err = old.upgrade()
		}
	case format == Format:
		m = &Manifest{}
		err = unmarshalManifest(raw, m)
	case format > Format:
		return nil, fmt.Errorf("%w: it has format %d, and this worker reads formats %d to %d", ErrFormat, format, MinFormat, Format)
	default:
		err = fmt.Errorf("there is no format %d", format)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return m, nil
}

// fingerprint returns the SHA-256 of a manifest's columns, without spaces.
func fingerprint(raw []byte) (string, error) {
	var v struct {
		Columns jsontext.Value `json:"columns"`
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		return "", err
	}
	if err := v.Columns.Compact(); err != nil {
		return "", fmt.Errorf("reading its columns: %w", err)
	}
	sum := sha256.Sum256(v.Columns)
	return hex.EncodeToString(sum[:]), nil
}

func readVerified(ctx context.Context, folder Folder, name string, m *Manifest) ([]byte, error) {
	raw, err := folder.ReadFile(ctx, name)
	if errors.Is(err, os.ErrNotExist) { // no longer that there is no bundle
		return nil, fmt.Errorf("the bundle of run %s %w: %s", m.RunID, ErrIncomplete, err.Error())
	}
	if err != nil {
		return nil, fmt.Errorf("reading the bundle of run %s: %w", m.RunID, err)
	}
	sum := sha256.Sum256(raw)
	if got := hex.EncodeToString(sum[:]); got != m.Files[name] {
		return nil, fmt.Errorf("%s of run %s %w: its sha256 is %.12s…, the manifest has %.12s…", name, m.RunID, ErrAltered, got, m.Files[name])
	}
	return raw, nil
}
