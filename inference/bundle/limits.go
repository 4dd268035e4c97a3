package bundle

import (
	"bytes"
	"fmt"
	"math"
	"slices"
)

// The bounds of a bundle, well over any that anybody was seen to have, so that
// one that is wrong is refused before it takes the memory or the time of the
// function. SPEC.md has them.
const (
	maxModel    = 512 << 20 // bytes of the graph
	maxManifest = 64 << 20  // bytes
	maxGoldens  = 64 << 20  // bytes

	maxSignature = 4 << 10  // bytes
	maxSketch    = 16 << 20 // bytes

	maxColumns = 10_000
	maxWidth   = 10_000  // numbers of a row of y
	maxWords   = 1 << 20 // of all columns; their codes are exact in int32 and float32 as well
	maxValues  = 3 << 19 // of the manifest's JSON: the words, and what is around them
)

// MaxBytes returns the most bytes that the named file of a bundle has.
func MaxBytes(name string) int {
	switch name {
	case ModelFile, FastFile:
		return maxModel
	case GoldenFile:
		return maxGoldens
	case SignatureFile:
		return maxSignature
	case SketchFile:
		return maxSketch
	default:
		return maxManifest
	}
}

// checkValues refuses a manifest that would take much memory to read: JSON has
// as many values in lists and objects as commas, or nearly.
func checkValues(raw []byte) error {
	if n := bytes.Count(raw, []byte{','}); n > maxValues {
		return fmt.Errorf("it has about %d values, and %d are the most", n, maxValues)
	}
	return nil
}

// checkSizes refuses more columns, words or scores than are served.
func (m *Manifest) checkSizes() error {
	words, width := 0, 0
	for i := range m.Columns {
		words += len(m.Columns[i].Vocabulary) + len(m.Columns[i].Words)
	}
	for i := range m.Outputs {
		width += min(m.Outputs[i].Columns(), maxWidth+1)
	}
	for _, of := range []struct {
		what      string
		has, most int
	}{
		{"columns", len(m.Columns), maxColumns}, {"words", words, maxWords}, {"scores", width, maxWidth},
	} {
		if of.has > of.most {
			return fmt.Errorf("it has %d %s, and %d are the most", of.has, of.what, of.most)
		}
	}
	return nil
}

// tellsApart is the largest bound of a golden that proves something, as a part of
// the numbers that it bounds.
const tellsApart = 1.0 / 1024

// checkBounds refuses goldens of which most have bounds so wide that they prove
// nothing. Some may: of a record with huge numbers not much is known. A small
// number may be what is left of large ones, and have their bound: hence it is
// compared with the goldens' median as well.
func checkBounds(goldens []Golden) error {
	sizes := make([]float64, 0, len(goldens))
	for i := range goldens {
		if goldens[i].Reject == "" {
			sizes = append(sizes, goldens[i].size())
		}
	}
	slices.Sort(sizes)
	wide := 0
	for i := range goldens {
		g := &goldens[i]
		if g.Within > 0 && !(g.Within <= max(g.size(), sizes[len(sizes)/2])*tellsApart) {
			wide++
		}
	}
	if 2*wide > len(sizes) {
		return fmt.Errorf("of its %d predictions %d have a bound so wide that it proves nothing", len(sizes), wide)
	}
	return nil
}

// size is the magnitude of the largest number.
func (g *Golden) size() float64 {
	largest := 0.0
	for _, v := range g.Want {
		largest = max(largest, math.Abs(v))
	}
	return largest
}
