package bundle

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

var (
	runIDPattern    = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
	checksumPattern = regexp.MustCompile(`^[0-9a-f]{64}$`)
)

// CheckRunID returns an error for a run id that could not name a folder.
func CheckRunID(id string) error {
	if !runIDPattern.MatchString(id) {
		return fmt.Errorf("%q is %w", id, ErrRunID)
	}
	return nil
}

// check refuses what parses and makes no sense, and what a reader would have to
// guess at.
func (m *Manifest) check() error {
	if err := CheckRunID(m.RunID); err != nil {
		return err
	}
	if m.Model == "" {
		return errors.New("the model has no name")
	}
	for _, name := range []string{ModelFile, GoldenFile} {
		if !checksumPattern.MatchString(m.Files[name]) {
			return fmt.Errorf("it has no SHA-256 of %s", name)
		}
	}
	most := 2
	for _, name := range []string{FastFile, SketchFile} {
		if sum, ok := m.Files[name]; ok {
			if most++; !checksumPattern.MatchString(sum) {
				return fmt.Errorf("its SHA-256 of %s is none", name)
			}
		}
	}
	if len(m.Files) > most {
		return fmt.Errorf("it has %d files beside itself, and there is more than the bundle's", len(m.Files))
	}
	if err := m.checkSizes(); err != nil {
		return err
	}
	if err := checkOutputs(m.Outputs, m.ID); err != nil {
		return err
	}
	if m.Empty != "" && m.Empty != Refuse {
		return oneOf("empty", m.Empty, Refuse)
	}
	if len(m.Columns) == 0 {
		return errors.New("it has no columns")
	}
	for i := range m.Columns {
		if err := m.Columns[i].check(); err != nil {
			return columnError(i, &m.Columns[i], err)
		}
	}
	return nil
}

func columnError(i int, c *Column, err error) error {
	return fmt.Errorf("column %d, %s: %w", i, c.Name, err)
}

func oneOf(what, got string, want ...string) error {
	if slices.Contains(want, got) {
		return nil
	}
	return fmt.Errorf("%s is %q, not one of %s", what, got, strings.Join(want, ", "))
}
