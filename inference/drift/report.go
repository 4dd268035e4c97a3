package drift

import (
	"time"

	"github.com/skiff-ml/skiff/inference/bundle"
)

// The verdicts.
const (
	Stable  = "stable"
	Changed = "changed"
	Drifted = "drift"
	TooFew  = "too few" // records, to tell
)

// A Report is how far what was counted is from a sketch.
type Report struct {
	RunID   string    `json:"run_id"`
	Model   string    `json:"model"`
	Hours   int       `json:"hours,omitzero"` // that were added up; 0: it is no log
	From    time.Time `json:"from,omitzero"`  // the start of the first
	To      time.Time `json:"to,omitzero"`    // the end of the last
	Sample  Size      `json:"sample"`
	Now     Size      `json:"now"`
	Largest float64   `json:"largest_psi"` // of those that enough records are behind
	Verdict string    `json:"verdict"`     // the worst
	Columns []Line    `json:"columns"`
	Outputs []Line    `json:"outputs"`
}

// A Size is how many records there are.
type Size struct {
	Records  int `json:"records"`
	Rejected int `json:"rejected"`
}

// A Line is the comparison of a column, or of an output.
type Line struct {
	Name    string    `json:"name"`
	Kind    string    `json:"kind"`
	PSI     float64   `json:"psi"`
	JS      float64   `json:"jensen_shannon"`
	Noise   float64   `json:"noise"` // what PSI may be where nothing has changed
	Missing *Shares   `json:"missing,omitempty"`
	Null    *Shares   `json:"null,omitempty"`
	Unknown *Shares   `json:"unknown,omitempty"` // of a category
	Words   []Word    `json:"new_words,omitempty"`
	Verdict string    `json:"verdict"`
	Edges   []float64 `json:"edges,omitempty"`  // of the bins
	Labels  []string  `json:"labels,omitempty"` // likewise, of a label
	Was     []int     `json:"was"`              // of the sample, by bin
	Is      []int     `json:"now"`
}

// Shares are parts of the records, from 0 to 1.
type Shares struct {
	Was float64 `json:"was"`
	Now float64 `json:"now"`
}

// Compare compares counts with the sketch that they are of.
func Compare(m *bundle.Manifest, s *bundle.Sketch, c *Counts) *Report {
	r := &Report{RunID: m.RunID, Model: m.Model, Sample: Size{s.Records, s.Rejected}, Now: Size{c.Records, c.Rejected}, Verdict: TooFew}
	for i := range s.Columns {
		of, now := &s.Columns[i], &c.Columns[i]
		l := Line{
			Name: of.Name, Kind: m.Columns[of.Column].Kind, Edges: of.Edges, Was: of.Counts, Is: now.Counts, Words: now.Words,
			Missing: shares(of.Missing, s.Records, now.Missing, c.Records), Null: shares(of.Null, s.Records, now.Null, c.Records),
		}
		if l.Kind == bundle.Category {
			l.Unknown = shares(of.Unknown, s.Records, now.Unknown, c.Records)
		}
		l.judge()
		r.Columns = append(r.Columns, l)
	}
	labels := labelsOf(m)
	for i := range s.Outputs {
		of := &s.Outputs[i]
		l := Line{Name: of.Name, Kind: bundle.Number, Edges: of.Edges, Was: of.Counts, Is: c.Outputs[i]}
		if of.Edges == nil {
			l.Kind, l.Labels = bundle.Label, labels[i]
		}
		l.judge()
		r.Outputs = append(r.Outputs, l)
	}
	for _, lines := range [][]Line{r.Columns, r.Outputs} {
		for i := range lines {
			l := &lines[i]
			if l.Verdict != TooFew {
				r.Largest = max(r.Largest, l.PSI)
			}
			if worse(l.Verdict, r.Verdict) {
				r.Verdict = l.Verdict
			}
		}
	}
	return r
}

// labelsOf returns the labels of each number and each label that is predicted, in
// their order; of numbers none.
func labelsOf(m *bundle.Manifest) (all [][]string) {
	for i := range m.Outputs {
		o := &m.Outputs[i]
		if o.Kind == bundle.Number {
			all = append(all, make([][]string, o.Numbers())...)
			continue
		}
		for _, choice := range o.Choices() {
			var labels []string
			for _, label := range choice.Labels {
				labels = append(labels, label.Text)
			}
			all = append(all, labels)
		}
	}
	return all
}

func shares(was, of, is, now int) *Shares {
	return &Shares{float64(was) / float64(max(of, 1)), float64(is) / float64(max(now, 1))}
}

// judge measures a line. A PSI that chance makes of so few records is none.
func (l *Line) judge() {
	l.PSI, l.JS, l.Noise = PSI(l.Was, l.Is), JensenShannon(l.Was, l.Is), min(Noise(l.Was, l.Is), 1e9) // JSON has no infinity
	switch {
	case l.Noise > PSIChanged && l.PSI <= l.Noise:
		l.Verdict = TooFew
	case l.PSI > PSIDrift:
		l.Verdict = Drifted
	case l.PSI > PSIChanged:
		l.Verdict = Changed
	default:
		l.Verdict = Stable
	}
}

func worse(a, b string) bool {
	order := map[string]int{TooFew: 0, Stable: 1, Changed: 2, Drifted: 3}
	return order[a] > order[b]
}
