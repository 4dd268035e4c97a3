package drift

import (
	"cmp"
	"slices"
	"time"

	"github.com/skiff-ml/skiff/inference/bundle"
)

// Version is the version of [Counts] that this package writes and reads.
const Version = 1

// Counts are what a model was given and predicted in an hour, in the bins of its
// bundle's sketch. Counts of one sketch are added up.
type Counts struct {
	Version  int            `json:"version"`
	RunID    string         `json:"run_id"`
	Sketch   string         `json:"sketch"`   // the SHA-256 of sketch.json
	Hour     time.Time      `json:"hour"`     // its start, UTC
	Records  int            `json:"records"`  // that were scored
	Rejected int            `json:"rejected"` // beside them
	Columns  []ColumnCounts `json:"columns"`  // the sketch's
	Outputs  [][]int        `json:"outputs"`  // likewise, of each the predictions by bin
}

// ColumnCounts are those of a column.
type ColumnCounts struct {
	Counts  []int  `json:"counts"` // of the records, by bin
	Missing int    `json:"missing"`
	Null    int    `json:"null"`
	Unknown int    `json:"unknown"`
	Words   []Word `json:"words,omitempty"` // that training did not have, the most frequent, where they are asked for
}

// A Word is a word that training did not have, cut to [WordBytes].
type Word struct {
	Text string `json:"word"`
	N    int    `json:"n"`              // at most so often
	Over int    `json:"over,omitempty"` // and so many times less at least
}

// newCounts returns counts of nothing yet.
func newCounts(runID, sha256 string, s *bundle.Sketch, hour time.Time) *Counts {
	c := &Counts{
		Version: Version, RunID: runID, Sketch: sha256, Hour: hour,
		Columns: make([]ColumnCounts, len(s.Columns)), Outputs: make([][]int, len(s.Outputs)),
	}
	for i := range c.Columns {
		c.Columns[i].Counts = make([]int, len(s.Columns[i].Counts))
	}
	for i := range c.Outputs {
		c.Outputs[i] = make([]int, len(s.Outputs[i].Counts))
	}
	return c
}

// Add adds other counts of the same sketch. It reports whether they fit: of others
// nothing is added.
func (c *Counts) Add(other *Counts) bool {
	if c.Sketch != other.Sketch || !c.sameBins(other) {
		return false
	}
	if other.Hour.Before(c.Hour) {
		c.Hour = other.Hour
	}
	c.Records += other.Records
	c.Rejected += other.Rejected
	for i := range c.Columns {
		to, of := &c.Columns[i], &other.Columns[i]
		addAll(to.Counts, of.Counts)
		to.Missing += of.Missing
		to.Null += of.Null
		to.Unknown += of.Unknown
		to.Words = addWords(to.Words, of.Words)
	}
	for i := range c.Outputs {
		addAll(c.Outputs[i], other.Outputs[i])
	}
	return true
}

func (c *Counts) sameBins(other *Counts) bool {
	return slices.EqualFunc(c.Columns, other.Columns, func(a, b ColumnCounts) bool { return len(a.Counts) == len(b.Counts) }) &&
		slices.EqualFunc(c.Outputs, other.Outputs, func(a, b []int) bool { return len(a) == len(b) })
}

// most is more than anybody counts in an hour, and so little that no sum overflows.
const most = 1 << 40

// fits reports whether these are counts in a sketch's bins.
func (c *Counts) fits(s *bundle.Sketch) bool {
	none := func(n int) bool { return n < 0 || n > most }
	for i := range c.Columns {
		of := &c.Columns[i]
		if slices.ContainsFunc(append([]int{of.Missing, of.Null, of.Unknown}, of.Counts...), none) {
			return false
		}
	}
	for _, counts := range c.Outputs {
		if slices.ContainsFunc(counts, none) {
			return false
		}
	}
	return !none(c.Records) && !none(c.Rejected) && newCounts("", "", s, time.Time{}).sameBins(c)
}

func addAll(to, of []int) {
	for i, n := range of {
		to[i] += n
	}
}

// addWords adds up words, the most frequent first.
func addWords(words, more []Word) []Word {
	for _, w := range more {
		if i := slices.IndexFunc(words, func(have Word) bool { return have.Text == w.Text }); i >= 0 {
			words[i].N += w.N
			words[i].Over += w.Over
		} else {
			words = append(words, w)
		}
	}
	sortWords(words)
	return words
}

// Least is how often the word came at least.
func (w Word) Least() int { return w.N - w.Over }

func sortWords(words []Word) {
	slices.SortFunc(words, func(a, b Word) int {
		return cmp.Or(cmp.Compare(b.Least(), a.Least()), cmp.Compare(b.N, a.N), cmp.Compare(a.Text, b.Text))
	})
}
