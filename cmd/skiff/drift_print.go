package main

import (
	"cmp"
	_ "embed" // the page
	"errors"
	"fmt"
	"html/template"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/skiff-ml/skiff/inference/drift"
)

// maxWords is how many new words of a column are in the table.
const maxWords = 3

// worstFirst returns the columns, those that have changed most first, and then the
// outputs likewise.
func worstFirst(r *drift.Report) []drift.Line {
	bySize := func(a, b drift.Line) int { return cmp.Compare(b.PSI, a.PSI) }
	columns, outputs := slices.Clone(r.Columns), slices.Clone(r.Outputs)
	slices.SortStableFunc(columns, bySize)
	slices.SortStableFunc(outputs, bySize)
	return append(columns, outputs...)
}

// printDrift writes a report as a table.
func printDrift(w io.Writer, r *drift.Report) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "run\t%s, %s\n", r.RunID, printable(r.Model))
	fmt.Fprintf(t, "sample\t%s\n", sizeOf(r.Sample))
	fmt.Fprintf(t, "now\t%s%s\n\n", sizeOf(r.Now), hoursOf(r))
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(t, "column\tkind\tPSI\tJensen-Shannon\tmissing\tunknown\tverdict\tnew words")
	lines := worstFirst(r)
	for i := range lines[:min(len(lines), maxColumns)] {
		l := &lines[i]
		fmt.Fprintf(t, "%s\t%s\t%.3f\t%.3f\t%s\t%s\t%s\t%s\n",
			printable(l.Name), kindOf(l), l.PSI, l.JS, missingOf(l), shareOf(l.Unknown), l.Verdict, dash(wordsOf(l.Words, maxWords)))
	}
	if more := len(lines) - maxColumns; more > 0 {
		fmt.Fprintf(t, "… and %d more, which --json has\n", more)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\n%s: the largest PSI is %.3f; up to %v is stable, above %v is drift\n", r.Verdict, r.Largest, drift.PSIChanged, drift.PSIDrift)
	return err
}

// kindOf is a line's kind, of an output with a word that it is one.
func kindOf(l *drift.Line) string {
	if l.Missing == nil {
		return "output"
	}
	return l.Kind
}

func sizeOf(s drift.Size) string {
	return fmt.Sprintf("%d records, %d rejected", s.Records, s.Rejected)
}

func hoursOf(r *drift.Report) string {
	if r.Hours == 0 {
		return ""
	}
	const minute = "2006-01-02T15:04Z"
	hours := "1 hour"
	if r.Hours != 1 {
		hours = strconv.Itoa(r.Hours) + " hours"
	}
	return fmt.Sprintf(", in %s from %s to %s", hours, r.From.UTC().Format(minute), r.To.UTC().Format(minute))
}

// missingOf is the share of values that are absent or null.
func missingOf(l *drift.Line) string {
	if l.Missing == nil {
		return "-"
	}
	return shareOf(&drift.Shares{Was: l.Missing.Was + l.Null.Was, Now: l.Missing.Now + l.Null.Now})
}

func shareOf(s *drift.Shares) string {
	if s == nil {
		return "-"
	}
	return fmt.Sprintf("%.1f %% -> %.1f %%", 100*s.Was, 100*s.Now)
}

// wordsOf names words with how often they came at least. They are anybody's, and may be
// anything.
func wordsOf(words []drift.Word, most int) string {
	var all []string
	for _, w := range words[:min(len(words), most)] {
		all = append(all, fmt.Sprintf("%s (%d)", printable(w.Text), w.Least()))
	}
	return strings.Join(all, ", ")
}

//go:embed drift.html
var driftPage string

// writePage writes a report as a page that needs nothing beside itself.
func writePage(name string, r *drift.Report) (err error) {
	t, err := template.New("page").Funcs(template.FuncMap{
		"kind": kindOf, "missing": missingOf, "share": shareOf, "size": sizeOf, "hours": hoursOf, "bars": bars,
		"width": func(bars []bar) int { return len(bars) * barWidth },
		"words": func(words []drift.Word) string { return wordsOf(words, len(words)) },
	}).Parse(driftPage)
	if err != nil {
		return err
	}
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	var lines []*drift.Line
	for _, l := range worstFirst(r) {
		lines = append(lines, &l)
	}
	return t.Execute(f, struct {
		*drift.Report
		Lines            []*drift.Line
		Changed, Drifted float64
	}{r, lines, drift.PSIChanged, drift.PSIDrift})
}

// A bar is a bin's share, of the sample and of what came, as parts of the largest.
type bar struct {
	Bin      string
	Was, Now float64 // of the records, in percent
	X        int     // where it is drawn
	WasY     float64
	WasH     float64
	NowY     float64
	NowH     float64
}

// What a plot of bins is drawn in.
const (
	barWidth   = 24
	plotHeight = 80.0
)

// bars returns the bins of a line.
func bars(l *drift.Line) []bar {
	was, now := sum(l.Was), sum(l.Is)
	all, largest := make([]bar, len(l.Was)), 0.0
	for i := range all {
		b := &all[i]
		b.Bin, b.X = binName(l, i), i*barWidth
		b.Was, b.Now = 100*float64(l.Was[i])/was, 100*float64(l.Is[i])/now
		largest = max(largest, b.Was, b.Now)
	}
	for i := range all {
		b := &all[i]
		b.WasH, b.NowH = plotHeight*b.Was/max(largest, 1), plotHeight*b.Now/max(largest, 1)
		b.WasY, b.NowY = plotHeight-b.WasH, plotHeight-b.NowH
	}
	return all
}

func sum(counts []int) float64 {
	n := 0
	for _, c := range counts {
		n += c
	}
	return float64(max(n, 1))
}

// binName says what is in a bin.
func binName(l *drift.Line, i int) string {
	last := len(l.Edges)
	switch {
	case l.Kind == "category" && i == 0:
		return "no word"
	case l.Kind == "category":
		return fmt.Sprintf("words, group %d", i)
	case l.Labels != nil:
		return printable(l.Labels[i])
	case i == last+1:
		return "NaN"
	case last == 0:
		return "any number"
	case i == 0:
		return fmt.Sprintf("below %v", l.Edges[0])
	case i == last:
		return fmt.Sprintf("from %v on", l.Edges[last-1])
	}
	return fmt.Sprintf("from %v to %v", l.Edges[i-1], l.Edges[i])
}
