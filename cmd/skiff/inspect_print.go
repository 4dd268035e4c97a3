package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
)

// What a person reads at once; --json has all.
const (
	maxColumns = 50
	maxLabels  = 6
)

// print writes tables.
func (d *description) print(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	row := func(cells ...string) {
		for i := range cells {
			cells[i] = printable(cells[i])
		}
		fmt.Fprintln(t, strings.Join(cells, "\t"))
	}
	row("bundle", d.Bundle)
	row("run", d.RunID+", logged "+d.Created)
	row("model", d.Model)
	row("estimator", d.Estimator+" as "+d.Lowering)
	if d.ID != nil {
		row("id", strings.Join(d.ID.Path, ".")+", as "+d.ID.Name)
	}
	row("parity", fmt.Sprintf("%s, over %d goldens and %d generated records", d.Parity.Bound, d.Parity.Goldens, d.Parity.Generated))
	row("goldens", fmt.Sprintf("%d predictions, %d rejections", d.Goldens.Predictions, d.Goldens.Rejections))
	row("fitted with", versions(d.Libraries))
	row("made with", versions(d.Converter))
	row("signed", d.Signed)
	row("format", strconv.Itoa(d.Format))
	if d.Empty != "" {
		row("empty", "a record without any column's value: "+d.Empty)
	}
	fmt.Fprintln(t)
	row("output", "kind", "unit", "width", "link", "labels", "beside it")
	for i := range d.Outputs {
		o := &d.Outputs[i]
		row(o.Name, o.Kind, dash(o.Unit), count(o.Width), dash(o.Link), labels(o.Labels), beside(o))
	}
	fmt.Fprintln(t)
	row("column", "kind", "from", "words", "missing", "null", "rules")
	for i := range d.Columns[:min(len(d.Columns), maxColumns)] {
		c := &d.Columns[i]
		row(c.Name, c.Kind, dash(c.From), count(c.Words), dash(c.Missing), dash(c.Null), dash(strings.Join(c.Rules, ", ")))
	}
	if more := len(d.Columns) - maxColumns; more > 0 {
		row(fmt.Sprintf("… and %d more, which --json has", more))
	}
	fmt.Fprintln(t)
	row("file", "bytes", "sha256")
	for _, f := range d.Files {
		row(f.Name, strconv.Itoa(f.Bytes), f.SHA256)
	}
	return t.Flush()
}

// printable returns a cell as it is, or quoted where it would break the table or
// do something to the terminal: a bundle's words are anybody's.
func printable(cell string) string {
	if strings.ContainsFunc(cell, func(r rune) bool { return !strconv.IsPrint(r) }) {
		return strconv.Quote(cell)
	}
	return cell
}

func versions(of map[string]string) string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(of)) {
		all = append(all, name+" "+of[name])
	}
	return strings.Join(all, ", ")
}

func labels(all []string) string {
	if len(all) > maxLabels {
		return fmt.Sprintf("%s, … (%d)", strings.Join(all[:maxLabels], ", "), len(all))
	}
	return dash(strings.Join(all, ", "))
}

// beside is what the output has beside a label.
func beside(o *outputLine) string {
	var parts []string
	if o.Probabilities != "" {
		parts = append(parts, "probabilities as "+o.Probabilities)
	}
	if o.Margin != "" {
		parts = append(parts, "margin as "+o.Margin)
	}
	return dash(strings.Join(parts, ", "))
}

func count(n int) string {
	if n == 0 {
		return "-"
	}
	return strconv.Itoa(n)
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
