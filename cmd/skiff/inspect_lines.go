package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/skiff-ml/skiff/inference/bundle"
)

// An outputLine is one of the predicted values, or one of its parts.
type outputLine struct {
	Name          string   `json:"name"`
	Kind          string   `json:"kind"`
	Unit          string   `json:"unit,omitempty"`
	Width         int      `json:"width,omitempty"` // numbers
	Link          string   `json:"link,omitempty"`
	Labels        []string `json:"labels,omitempty"`
	Probabilities string   `json:"probabilities,omitempty"` // what the output calls them
	Margin        string   `json:"margin,omitempty"`        // likewise
}

func outputLines(m *bundle.Manifest) []outputLine {
	var lines []outputLine
	for i := range m.Outputs {
		o := &m.Outputs[i]
		lines = append(lines, outputLineOf(o.Name, o))
		for p := range o.Parts {
			lines = append(lines, outputLineOf(fmt.Sprintf("%s[%d]", o.Name, p), &o.Parts[p]))
		}
	}
	return lines
}

func outputLineOf(name string, o *bundle.Output) outputLine {
	line := outputLine{
		Name: name, Kind: o.Kind, Unit: o.Unit, Width: o.Width, Link: o.Link, Probabilities: or(o.Probabilities), Margin: or(o.Margin),
	}
	if line.Kind == "" {
		line.Kind = bundle.Label // of a part
	}
	for i := range o.Labels {
		line.Labels = append(line.Labels, o.Labels[i].Text)
	}
	return line
}

// A columnLine is a column of the model's input: where its value comes from, and
// what it makes of what is no value of its kind.
type columnLine struct {
	Name    string   `json:"name"`
	Kind    string   `json:"kind"`
	From    string   `json:"from,omitempty"`
	Words   int      `json:"words,omitempty"`
	Missing string   `json:"missing,omitempty"`
	Null    string   `json:"null,omitempty"`
	Rules   []string `json:"rules,omitempty"` // the others
}

func columnLines(m *bundle.Manifest) []columnLine {
	lines := make([]columnLine, len(m.Columns))
	for i := range m.Columns {
		c := &m.Columns[i]
		lines[i] = columnLine{
			Name: c.Name, Kind: c.Kind, From: source(c), Words: max(len(c.Vocabulary), len(c.Words)), Missing: c.Missing, Null: c.Null, Rules: rules(c),
		}
	}
	return lines
}

// source is where a column's value comes from: a path, or the text that is built.
func source(c *bundle.Column) string {
	if len(c.Template) == 0 {
		return strings.Join(c.Path, ".")
	}
	var text strings.Builder
	for _, part := range c.Template {
		if part.Path == nil {
			text.WriteString(part.Text)
		} else {
			text.WriteString("{" + strings.Join(part.Path, ".") + "}")
		}
	}
	return text.String()
}

// rules are what a column says beside missing and null, in the manifest's words.
func rules(c *bundle.Column) []string {
	var rules []string
	add := func(name, value string) {
		if value != "" {
			rules = append(rules, name+" "+value)
		}
	}
	add("other", c.Other)
	add("unknown", c.Unknown)
	add("text", c.Text)
	if c.Hash != nil {
		add("hash", *c.Hash)
	}
	add("default", number(c.Default))
	add("least", number(c.Least))
	add("limit", number(c.Limit))
	add("min", number(c.Min))
	add("max", number(c.Max))
	if c.Time != nil {
		add("time", c.Time.Part)
		add("epoch", c.Time.Epoch)
		add("zone", c.Time.Zone)
	}
	if c.Word != nil {
		add("word", strconv.Quote(*c.Word))
	}
	add("repeat", c.Repeat)
	add("without", c.Without)
	add("value", number(c.Value))
	return rules
}

func number(f *float64) string {
	if f == nil {
		return ""
	}
	return strconv.FormatFloat(*f, 'g', -1, 64)
}

func or(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
