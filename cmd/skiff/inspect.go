package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"

	"github.com/spf13/cobra"

	"github.com/skiff-ml/skiff/inference/bundle"
)

func (s *settings) inspect() *cobra.Command {
	asJSON := false
	cmd := &cobra.Command{
		Use: "inspect RUN", Short: "Show what is in a run's bundle", Args: cobra.ExactArgs(1), ValidArgsFunction: s.completeRun,
		Long: "Shows a bundle as a person reads it: what was converted and how it was proved, what is predicted, what each column makes of a record, and\n" +
			"the files. The bundle is whole and unaltered, or that is an error; `skiff check` proves it as well.\n\n" + whichRun + `

With MODEL_PUBLIC_KEY it says whether the bundle is signed with that key.`,
		Example: `  skiff inspect 3f8b6c3fdddb425fab0cf9b88cfa48de
  skiff inspect @champion --json | jq '.columns[].name'`,
		RunE: func(cmd *cobra.Command, args []string) error {
			b, err := s.find(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			d, err := s.describe(cmd.Context(), b)
			if err != nil {
				return err
			}
			if !asJSON {
				return d.print(s.stdout)
			}
			out := json.NewEncoder(s.stdout)
			out.SetIndent("", "  ")
			out.SetEscapeHTML(false)
			return out.Encode(d)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "as JSON, with all columns and labels")
	return cmd
}

// A description is what inspect says of a bundle.
type description struct {
	Bundle    string            `json:"bundle"` // where it is
	RunID     string            `json:"run_id"`
	Created   string            `json:"created"`
	Model     string            `json:"model"`
	Estimator string            `json:"estimator"`
	Lowering  string            `json:"lowering"`
	Format    int               `json:"format"`
	ID        *bundle.IDField   `json:"id,omitempty"`
	Parity    bundle.Parity     `json:"parity"`
	Goldens   goldens           `json:"goldens"`
	Libraries map[string]string `json:"libraries"`
	Converter map[string]string `json:"converter"`
	SHA256    string            `json:"sha256"` // of manifest.json: what MODEL_SHA256 pins
	Signed    string            `json:"signed"`
	Empty     string            `json:"empty,omitempty"`
	Outputs   []outputLine      `json:"outputs"`
	Columns   []columnLine      `json:"columns"`
	Files     []fileLine        `json:"files"`
}

type goldens struct {
	Predictions int `json:"predictions"`
	Rejections  int `json:"rejections"`
}

type fileLine struct {
	Name   string `json:"name"`
	Bytes  int    `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// describe reads a bundle.
func (s *settings) describe(ctx context.Context, b *named) (*description, error) {
	read := &reread{b.folder, map[string][]byte{}}
	opened, err := bundle.Open(ctx, read, b.run)
	if err != nil {
		return nil, err
	}
	m := &opened.Manifest
	d := &description{
		Bundle: b.location, RunID: m.RunID, Created: m.Created, Model: m.Model, Estimator: m.Estimator, Lowering: m.Lowering, Format: m.Format,
		ID: m.ID, Parity: m.Parity, Libraries: m.Libraries, Converter: m.Converter, Empty: m.Empty,
		Outputs: outputLines(m), Columns: columnLines(m),
	}
	for i := range opened.Goldens {
		if opened.Goldens[i].Reject != "" {
			d.Goldens.Rejections++
		} else {
			d.Goldens.Predictions++
		}
	}
	if d.Signed, err = s.signed(ctx, read); err != nil {
		return nil, err
	}
	if m.Files[bundle.SketchFile] != "" {
		if _, err := read.ReadFile(ctx, bundle.SketchFile); err != nil {
			return nil, err
		}
	}
	for _, name := range []string{bundle.ManifestFile, bundle.SignatureFile, bundle.ModelFile, bundle.FastFile, bundle.GoldenFile, bundle.SketchFile} {
		if data, ok := read.files[name]; ok {
			sum := sha256.Sum256(data)
			d.Files = append(d.Files, fileLine{name, len(data), hex.EncodeToString(sum[:])})
		}
	}
	d.SHA256 = d.Files[0].SHA256
	return d, nil
}

// signed says whether the bundle is signed, and whose that is where the key is
// known.
func (s *settings) signed(ctx context.Context, read *reread) (string, error) {
	_, err := read.ReadFile(ctx, bundle.SignatureFile)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return "no", nil
	case err != nil:
		return "", err
	}
	key := s.getenv("MODEL_PUBLIC_KEY")
	if key == "" {
		return "yes; MODEL_PUBLIC_KEY would say whether with that key", nil
	}
	trust := bundle.Trust{}
	if trust.PublicKey, err = bundle.ParsePublicKey(key); err != nil {
		return "", err
	}
	if _, err := bundle.OpenTrusted(ctx, read, "", trust); err != nil {
		return "yes, and not with the key of MODEL_PUBLIC_KEY", nil //nolint:nilerr // it was opened without a key before
	}
	return "yes, with the key of MODEL_PUBLIC_KEY", nil
}

// A reread is a bundle's folder, of which each file is read once.
type reread struct {
	bundle.Folder
	files map[string][]byte
}

// ReadFile implements [bundle.Folder].
func (r *reread) ReadFile(ctx context.Context, name string) ([]byte, error) {
	if data, ok := r.files[name]; ok {
		return data, nil
	}
	data, err := r.Folder.ReadFile(ctx, name)
	if err == nil {
		r.files[name] = data
	}
	return data, err
}
