package main

import (
	"bytes"
	_ "embed" // the page
	"fmt"
	"html/template"
	"image/color"
	"io"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"

	"github.com/skiff-ml/skiff/cmd/tools/internal/measuring"
)

//go:embed page.html
var page string

// writeHTML writes a page that needs nothing beside itself: its plots are SVG
// in it.
func writeHTML(w io.Writer, r *Report) error {
	var text bytes.Buffer
	if err := writeText(&text, r); err != nil {
		return err
	}
	total, err := recordPlot(r)
	if err != nil {
		return err
	}
	stages, err := stagesPlot(r)
	if err != nil {
		return err
	}
	data := struct {
		*Report
		Text   string
		Record template.HTML
		Stages template.HTML
	}{r, text.String(), total, stages}
	t, err := template.New("page").Parse(page)
	if err != nil {
		return err
	}
	return t.Execute(w, data)
}

// recordPlot draws what a record costs over batch sizes, with its spread.
func recordPlot(r *Report) (template.HTML, error) {
	p := measuring.NewLogPlot("batch, records", "µs a record")
	points := make([]measuring.Point, len(r.Results))
	for i, result := range r.Results {
		ns := result.Record
		points[i] = measuring.Point{Batch: result.Batch, Spread: measuring.Spread{Median: ns.Median / 1000, Min: ns.Min / 1000, Max: ns.Max / 1000, N: ns.N}}
	}
	if _, _, err := measuring.Draw(p, points, blue); err != nil {
		return "", err
	}
	return svg(p)
}

// stagesPlot draws how a record's time is made up, a bar a batch size.
func stagesPlot(r *Report) (template.HTML, error) {
	p := measuring.NewPlot("batch, records", "ns a record, batches from 10")
	var names []string
	stages := make([]plotter.Values, 5)
	for _, result := range r.Results {
		if result.Batch < 10 {
			continue // one record's costs would hide the others'
		}
		names = append(names, strconv.Itoa(result.Batch))
		s := result.Stages
		for i, ns := range []float64{s.Decode, s.Encode, s.Score, s.Respond, s.Publish} {
			stages[i] = append(stages[i], ns)
		}
	}
	if len(names) == 0 {
		return "", nil
	}
	var below *plotter.BarChart
	for i, name := range []string{"decode", "encode", "score", "respond", "publish"} {
		bar, err := plotter.NewBarChart(stages[i], vg.Points(22))
		if err != nil {
			return "", fmt.Errorf("plotting: %w", err)
		}
		bar.Color, bar.LineStyle.Width = palette[i], 0
		if below != nil {
			bar.StackOn(below)
		}
		below = bar
		p.Add(bar)
		p.Legend.Add(name, bar)
	}
	p.NominalX(names...)
	p.X.Min, p.X.Max, p.Y.Max = -0.5, float64(len(names))+0.5, 1.05*p.Y.Max // room for the legend
	p.Legend.Padding = vg.Points(5)                                         // also in a wider font
	return svg(p)
}

// The plots' colours, told apart by the colour-blind as well; Okabe and Ito.
var (
	blue    = color.RGBA{0, 114, 178, 255}                                                                                                                //nolint:gochecknoglobals // constant
	palette = []color.Color{blue, color.RGBA{86, 180, 233, 255}, color.RGBA{213, 94, 0, 255}, color.RGBA{0, 158, 115, 255}, color.RGBA{230, 159, 0, 255}} //nolint:gochecknoglobals // constant
)

// svg draws p as an element of a page.
func svg(p *plot.Plot) (template.HTML, error) {
	drawn, err := measuring.SVG(p, 13*vg.Centimeter, 8*vg.Centimeter)
	if err != nil {
		return "", err
	}
	_, element, _ := bytes.Cut(drawn, []byte("<svg"))
	return template.HTML("<svg" + string(element)), nil //nolint:gosec // the plotter's own output
}
