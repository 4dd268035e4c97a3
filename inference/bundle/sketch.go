package bundle

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/go-json-experiment/json"
)

// SketchVersion is the version of sketches that this package reads.
const SketchVersion = 1

// The bounds of a sketch: its columns and its outputs are the first of the
// model's, and what is counted by the hour is a line of a log.
const (
	maxSketched = 1000 // columns, and outputs
	maxBins     = 256  // of one
)

// ErrNoSketch is that a bundle has no sketch.
var ErrNoSketch = errors.New("the bundle has no sketch")

// A Sketch is what the records of a sample were like: of each column of X, and of
// each output, how many had a value of which bin. Whoever counts later records in
// the same bins sees whether they are still like that.
type Sketch struct {
	Version  int              `json:"version"`
	Records  int              `json:"records"`  // that were counted: scored
	Rejected int              `json:"rejected"` // beside them
	Columns  []SketchedColumn `json:"columns"`
	Outputs  []SketchedOutput `json:"outputs"`
}

// A SketchedColumn is one of the columns of X. A category has Bins, any other
// column Edges.
type SketchedColumn struct {
	Column int       `json:"column"`         // its index in X
	Name   string    `json:"name"`           // for people
	Bins   []int     `json:"bins,omitempty"` // of each word, by its code, from 1 on; what is no word is in bin 0
	Edges  []float64 `json:"edges,omitzero"` // ascending: the bin of x is how many are not above x, of NaN the last
	Counts []int     `json:"counts"`         // of the records, by bin

	Missing int `json:"missing"` // values of the feature that are absent
	Null    int `json:"null"`    // or null
	Unknown int `json:"unknown"` // categories that training did not have
}

// A SketchedOutput is a number that is predicted, or a label. A number has Edges,
// as a column; a label has a bin for each of those that there are.
type SketchedOutput struct {
	Name   string    `json:"name"` // for people
	Edges  []float64 `json:"edges,omitzero"`
	Counts []int     `json:"counts"`
}

// Sketch reads the bundle's sketch, from the folder that the bundle is from. A
// bundle that has none is an error that wraps [ErrNoSketch].
func (b *Bundle) Sketch(ctx context.Context) (*Sketch, error) {
	if b.Manifest.Files[SketchFile] == "" {
		return nil, fmt.Errorf("%w of run %s", ErrNoSketch, b.Manifest.RunID)
	}
	raw, err := readVerified(ctx, b.folder, SketchFile, &b.Manifest)
	if err != nil {
		return nil, err
	}
	s, err := ParseSketch(raw, &b.Manifest)
	if err != nil {
		return nil, fmt.Errorf("reading %s of run %s: %w", SketchFile, b.Manifest.RunID, err)
	}
	return s, nil
}

// ParseSketch reads the sketch of a manifest's bundle. One that makes no sense is
// an error that wraps [ErrInvalid], one of a later version [ErrFormat].
func ParseSketch(raw []byte, m *Manifest) (*Sketch, error) {
	var v struct {
		Version int `json:"version"`
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if v.Version > SketchVersion {
		return nil, fmt.Errorf("%w: it has version %d, and this worker reads version %d", ErrFormat, v.Version, SketchVersion)
	}
	s := &Sketch{}
	if err := json.Unmarshal(raw, s, json.RejectUnknownMembers(true)); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if err := s.check(m); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return s, nil
}

func (s *Sketch) check(m *Manifest) error {
	kinds := outputKinds(m)
	switch {
	case s.Version != SketchVersion:
		return fmt.Errorf("there is no version %d", s.Version)
	case s.Records < 1 || s.Rejected < 0:
		return errors.New("it has no records")
	case len(s.Columns) > maxSketched || len(s.Outputs) > maxSketched:
		return fmt.Errorf("it has more than %d columns or outputs", maxSketched)
	case len(s.Outputs) > len(kinds):
		return fmt.Errorf("it has %d outputs, and the manifest %d", len(s.Outputs), len(kinds))
	}
	before := -1
	for i := range s.Columns {
		c := &s.Columns[i]
		if c.Column <= before || c.Column >= len(m.Columns) {
			return fmt.Errorf("column %d is no column after %d", c.Column, before)
		}
		before = c.Column
		if err := c.check(&m.Columns[c.Column], s.Records); err != nil {
			return columnError(c.Column, &m.Columns[c.Column], err)
		}
	}
	for i := range s.Outputs {
		o := &s.Outputs[i]
		bins, err := kinds[i], error(nil)
		if bins == 0 {
			bins, err = checkEdges(o.Edges)
		} else if o.Edges != nil {
			err = errors.New("it is a label, and has edges")
		}
		if err == nil {
			err = checkCounts(o.Counts, bins, s.Records, false)
		}
		if err != nil {
			return fmt.Errorf("output %d, %s: %w", i, o.Name, err)
		}
	}
	return nil
}

func (c *SketchedColumn) check(of *Column, records int) error {
	if c.Missing < 0 || c.Null < 0 || c.Unknown < 0 {
		return errors.New("it has a negative count")
	}
	bins := 0
	switch {
	case of.Kind == Constant:
		return errors.New("it is a constant")
	case of.Kind != Category:
		if c.Bins != nil {
			return errors.New("it is no category, and has bins of words")
		}
		var err error
		if bins, err = checkEdges(c.Edges); err != nil {
			return err
		}
	case c.Edges != nil || len(c.Bins) != len(of.Vocabulary):
		return fmt.Errorf("it has %d words in bins, and %d are its words", len(c.Bins), len(of.Vocabulary))
	default:
		for _, bin := range c.Bins {
			if bin < 1 || bin >= maxBins {
				return fmt.Errorf("a word is in bin %d", bin)
			}
			bins = max(bins, bin+1)
		}
	}
	return checkCounts(c.Counts, bins, records, true)
}

// checkEdges returns how many bins the edges make, one of them NaN's.
func checkEdges(edges []float64) (bins int, err error) {
	if edges == nil || len(edges) > maxBins-2 {
		return 0, fmt.Errorf("it has no edges, or more than %d", maxBins-2)
	}
	before := math.Inf(-1)
	for _, e := range edges {
		if !(e > before) {
			return 0, errors.New("its edges do not ascend")
		}
		before = e
	}
	return len(edges) + 2, nil
}

// checkCounts refuses counts of other bins, or of other records: of a prediction
// there may be fewer, since not each is finite.
func checkCounts(counts []int, bins, records int, all bool) error {
	if len(counts) != bins {
		return fmt.Errorf("it has counts of %d bins, and %d bins", len(counts), bins)
	}
	sum := 0
	for _, n := range counts {
		if n < 0 || n > records {
			return fmt.Errorf("%d of %d records are in a bin", n, records)
		}
		sum += n
	}
	if sum > records || all && sum != records {
		return fmt.Errorf("%d of %d records are in its bins", sum, records)
	}
	return nil
}

// outputKinds returns of each number and each label that is predicted, in their
// order, how many labels there are, of a number 0.
func outputKinds(m *Manifest) (kinds []int) {
	for i := range m.Outputs {
		o := &m.Outputs[i]
		if o.Kind == Number {
			kinds = append(kinds, make([]int, o.Numbers())...)
			continue
		}
		for _, choice := range o.Choices() {
			kinds = append(kinds, len(choice.Labels))
		}
	}
	return kinds
}
