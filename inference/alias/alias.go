// Package alias names the run to serve by something that stays, such as
// @champion, while the run changes. SPEC.md of package bundle has the form.
//
//  1. alias.go: the pointer, a small file beside the runs: what a worker reads
//  2. move.go: promoting a run and rolling back: how the pointer changes
package alias

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/skiff-ml/skiff/inference/bundle"
	"github.com/skiff-ml/skiff/inference/hint"
)

// Format is the form of pointer that this package writes, and the latest that
// it reads.
const Format = 1

// What is wrong with an alias.
var (
	ErrName    = errors.New("not the name of an alias")
	ErrPointer = errors.New("the alias's pointer makes no sense")
)

// A Pointer says which run an alias stands for.
type Pointer struct {
	Format   int    `json:"format"`
	Revision int    `json:"revision"` // 1, 2, 3…: one for each move
	RunID    string `json:"run_id"`
	Previous string `json:"previous,omitempty"` // the run before, if there was one
	Manifest string `json:"manifest,omitempty"` // SHA-256 of the run's manifest.json as it was proved, hexadecimal; empty: not known
	At       string `json:"at"`                 // when it was moved, RFC 3339 in UTC
	By       string `json:"by"`                 // Promote or Rollback
}

var name = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

var sha256 = regexp.MustCompile(`^([0-9a-f]{64})?$`)

// Of returns the alias that RUN_ID names by an @, and whether it does.
func Of(runID string) (alias string, ok bool) { return strings.CutPrefix(runID, "@") }

// Check returns an error that wraps [ErrName] for what cannot be an alias.
func Check(alias string) error {
	if name.MatchString(alias) {
		return nil
	}
	return hint.With(fmt.Errorf("%q is %w", alias, ErrName), "it has up to 64 letters, digits, _ and -, such as champion")
}

// File returns where an alias's pointer is, in the folder of the runs.
func File(alias string) string { return "aliases/" + alias + ".json" }

// HistoryFile returns where the pointers are that it had before, a line each,
// the oldest first.
func HistoryFile(alias string) string { return "aliases/" + alias + ".history.jsonl" }

// Parse reads a pointer. Of a later format it says just that.
func Parse(data []byte) (*Pointer, error) {
	var v struct {
		Format int `json:"format"`
	}
	if err := json.Unmarshal(data, &v); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPointer, err)
	}
	if v.Format > Format {
		return nil, hint.With(fmt.Errorf("a later version of skiff wrote the alias's pointer: it has format %d, and this worker reads format %d", v.Format, Format),
			"deploy a worker as new as the command that promotes")
	}
	p := &Pointer{}
	if err := json.Unmarshal(data, p, json.RejectUnknownMembers(true)); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPointer, err)
	}
	if err := p.check(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPointer, err)
	}
	return p, nil
}

func (p *Pointer) check() error {
	if p.Format != Format || p.Revision < 1 {
		return fmt.Errorf("it has format %d and revision %d", p.Format, p.Revision)
	}
	if p.By != Promote && p.By != Rollback {
		return fmt.Errorf("it was made by %q", p.By)
	}
	if !sha256.MatchString(p.Manifest) {
		return fmt.Errorf("%q is no SHA-256", p.Manifest)
	}
	if p.Previous != "" {
		if err := bundle.CheckRunID(p.Previous); err != nil {
			return err
		}
	}
	return bundle.CheckRunID(p.RunID)
}

func (p *Pointer) marshal() []byte {
	data, err := json.Marshal(p, json.Deterministic(true))
	if err != nil {
		panic(err) // text and numbers
	}
	return append(data, '\n')
}
