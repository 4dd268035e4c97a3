package inference

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Format is the bundle format this worker reads.
const Format = 1

// The files of a bundle.
const (
	ManifestFile = "manifest.json"
	ModelFile    = "model.onnx"
	GoldenFile   = "golden.jsonl"
)

// A Manifest says how records become rows and predictions become output. The
// converter writes it; the worker has no other knowledge of a model.
type Manifest struct {
	Format     int               `json:"format"`
	RunID      string            `json:"run_id"`
	Created    string            `json:"created"` // when the model was logged, RFC 3339
	Model      string            `json:"model"`
	Estimator  string            `json:"estimator"`
	Libraries  map[string]string `json:"libraries"` // versions the original was fitted with
	Converter  map[string]string `json:"converter"` // versions that made this bundle
	ID         *IDField          `json:"id,omitempty"`
	Prediction Output            `json:"prediction"`
	Columns    []Column          `json:"columns"`
	Lowering   string            `json:"lowering"`
	Parity     Parity            `json:"parity"`
	Files      map[string]string `json:"files"` // sha256 of the other files, hexadecimal

	Fingerprint string `json:"-"` // sha256 of the columns, hexadecimal; the model has it as well
}

// An IDField says where a record's id is, and what it is called in the output.
type IDField struct {
	Name string   `json:"name"`
	Path []string `json:"path"`
}

// An Output names the predicted value.
type Output struct {
	Name string `json:"name"`
	Unit string `json:"unit"`
}

// A Column is one column of the model's input X.
type Column struct {
	Name       string   `json:"name"`
	Kind       string   `json:"kind"`               // "category" or "number"
	Path       []string `json:"path,omitempty"`     // the value's place in the record
	Template   []Part   `json:"template,omitempty"` // or the text to build
	Missing    string   `json:"missing"`            // an absent value: "reject" or "zero"
	Null       string   `json:"null,omitempty"`     // a number's null: "reject" or "nan"
	Text       string   `json:"text,omitempty"`     // a number's text: "reject" or "zero"
	Limit      float64  `json:"limit,omitempty"`    // a number of this magnitude or more is not finite to the model
	Vocabulary []string `json:"vocabulary,omitempty"`
}

// A Part is a piece of a template: a value of the record, or text.
type Part struct {
	Path []string `json:"path,omitempty"`
	Text string   `json:"text,omitempty"`
}

// Parity is what the converter measured against the original pipeline.
type Parity struct {
	Bound     string `json:"bound"` // "bits", or a bound in ulp
	Goldens   int    `json:"goldens"`
	Generated int    `json:"generated"`
}

// A Golden is a record with what the original pipeline made of it.
type Golden struct {
	Record     string   `json:"record"`
	Prediction *float64 `json:"prediction,omitempty"`
	Within     float64  `json:"within,omitempty"` // absolute bound; 0 asks for equal bits
	Reject     Reason   `json:"reject,omitempty"`
	Field      string   `json:"field,omitempty"`
}

// A Bundle is a model ready to be served: its folder read and its checksums
// verified. [NewHandler] proves it.
type Bundle struct {
	Manifest Manifest
	Model    []byte // ONNX
	Goldens  []Golden
}

// A Folder reads the files of a bundle. A file that isn't there is an error
// that wraps [os.ErrNotExist].
type Folder interface {
	ReadFile(ctx context.Context, name string) ([]byte, error)
}

// Dir is a [Folder] on disk.
type Dir string

var _ Folder = Dir("")

// ReadFile reads the named file of the folder.
func (d Dir) ReadFile(_ context.Context, name string) ([]byte, error) {
	return os.ReadFile(filepath.Join(string(d), name))
}

const convertAgain = "convert the run again with `make convert MODEL=...`, or restore the folder"

var runIDPattern = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// CheckRunID returns an error for a run id that could not name a folder.
func CheckRunID(id string) error {
	if !runIDPattern.MatchString(id) {
		return WithHint(fmt.Errorf("%q is not a run id", id),
			"an MLflow run id is 32 hexadecimal digits; it names the bundle's folder")
	}
	return nil
}

// OpenBundle reads a bundle and checks that it is whole, unaltered, of a
// format this worker knows and, where runID isn't empty, of that run.
func OpenBundle(ctx context.Context, folder Folder, runID string) (*Bundle, error) {
	raw, err := folder.ReadFile(ctx, ManifestFile)
	if err != nil {
		return nil, err
	}
	var b Bundle
	if err := parseManifest(raw, &b.Manifest); err != nil {
		return nil, WithHint(fmt.Errorf("reading %s: %w", ManifestFile, err), convertAgain)
	}
	m := &b.Manifest
	if runID != "" && m.RunID != runID {
		return nil, WithHint(fmt.Errorf("the bundle is of run %s, not of %s", m.RunID, runID),
			"point RUN_ID and MODEL_LOCATION at the same run")
	}
	if b.Model, err = readVerified(ctx, folder, ModelFile, m); err != nil {
		return nil, err
	}
	goldens, err := readVerified(ctx, folder, GoldenFile, m)
	if err != nil {
		return nil, err
	}
	if b.Goldens, err = parseGoldens(goldens); err != nil {
		return nil, WithHint(fmt.Errorf("reading %s: %w", GoldenFile, err), convertAgain)
	}
	return &b, nil
}

// parseManifest reads a manifest of this format. Of another one it says just
// that: a later format may have words that this one doesn't know.
func parseManifest(raw []byte, m *Manifest) error {
	err := unmarshalStrict(raw, m)
	if err != nil || m.Format != Format {
		var v struct{ Format int }
		if json.Unmarshal(raw, &v) == nil && v.Format != Format {
			return fmt.Errorf("the bundle has format %d, and this worker reads format %d", v.Format, Format)
		}
		return err
	}
	if err := CheckRunID(m.RunID); err != nil {
		return err
	}
	if m.Fingerprint, err = fingerprint(raw); err != nil {
		return err
	}
	switch {
	case m.Prediction.Name == "":
		return errors.New("it names no prediction")
	case m.ID != nil && (m.ID.Name == "" || len(m.ID.Path) == 0):
		return errors.New("the id has no name or no path")
	case len(m.Columns) == 0:
		return errors.New("it has no columns")
	}
	for i := range m.Columns {
		if err := m.Columns[i].check(); err != nil {
			return fmt.Errorf("column %d, %s: %w", i, m.Columns[i].Name, err)
		}
	}
	return nil
}

// fingerprint returns the SHA-256 of a manifest's columns, without spaces.
func fingerprint(raw []byte) (string, error) {
	paths := newPathBuilder()
	slots := paths.add([]string{"columns"})
	found := make([]value, paths.slots)
	if !find(raw, &paths.root, found) {
		return "", errors.New("it is not JSON")
	}
	columns := bytes.NewBuffer(make([]byte, 0, len(raw)))
	at := found[slots[1]]
	if err := json.Compact(columns, raw[at.start:at.end]); err != nil {
		return "", fmt.Errorf("reading its columns: %w", err)
	}
	sum := sha256.Sum256(columns.Bytes())
	return hex.EncodeToString(sum[:]), nil
}

// check refuses what the encoder would have to guess at.
func (c *Column) check() error {
	oneOf := func(what, got string, want ...string) error {
		if slices.Contains(want, got) {
			return nil
		}
		return fmt.Errorf("%s is %q, not one of %s", what, got, strings.Join(want, ", "))
	}
	if (len(c.Path) == 0) == (len(c.Template) == 0) {
		return errors.New("it needs a path or a template")
	}
	for _, p := range c.Template {
		if (len(p.Path) == 0) == (p.Text == "") {
			return errors.New("a part of its template needs a path or a text")
		}
	}
	if err := oneOf("missing", c.Missing, "reject", "zero"); err != nil {
		return err
	}
	switch c.Kind {
	case "category":
		if len(c.Template) > 0 && c.Missing != "reject" {
			return errors.New("a template has no text where a part of it is missing")
		}
		return nil
	case "number":
		if len(c.Template) > 0 {
			return errors.New("a number has a path, not a template")
		}
		return errors.Join(oneOf("null", c.Null, "reject", "nan"), oneOf("text", c.Text, "reject", "zero"))
	}
	return oneOf("kind", c.Kind, "category", "number")
}

func parseGoldens(raw []byte) ([]Golden, error) {
	var goldens []Golden
	lines := bufio.NewScanner(bytes.NewReader(raw))
	lines.Buffer(nil, len(raw)+1)
	for lines.Scan() {
		var g Golden
		if err := unmarshalStrict(lines.Bytes(), &g); err != nil {
			return nil, fmt.Errorf("line %d: %w", len(goldens)+1, err)
		}
		if (g.Prediction == nil) == (g.Reject == "") {
			return nil, fmt.Errorf("line %d: it needs either a prediction or a reason to reject", len(goldens)+1)
		}
		goldens = append(goldens, g)
	}
	if len(goldens) == 0 {
		return nil, errors.New("it has no records")
	}
	return goldens, nil
}

func readVerified(ctx context.Context, folder Folder, name string, m *Manifest) ([]byte, error) {
	raw, err := folder.ReadFile(ctx, name)
	if errors.Is(err, os.ErrNotExist) { // no longer that there is no bundle
		return nil, WithHint(fmt.Errorf("the bundle of run %s is not whole: %s", m.RunID, err.Error()), convertAgain)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the bundle of run %s: %w", m.RunID, err)
	}
	sum := sha256.Sum256(raw)
	if got := hex.EncodeToString(sum[:]); got != m.Files[name] {
		return nil, WithHint(fmt.Errorf("%s of run %s was altered: its sha256 is %.12s…, the manifest has %.12s…",
			name, m.RunID, got, m.Files[name]), convertAgain)
	}
	return raw, nil
}

func unmarshalStrict(raw []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("there is something after its end")
	}
	return nil
}
