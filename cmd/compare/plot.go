package main

import (
	"bytes"
	"fmt"
	"image/color"
	"os"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// writePlot draws what a record costs each candidate over batch sizes, with
// the spread, as an SVG.
func writePlot(file string, r *Report) error {
	p := plot.New()
	p.BackgroundColor = color.White
	p.X.Label.Text, p.Y.Label.Text = "records an invocation", "µs a record"
	p.X.Scale, p.Y.Scale = plot.LogScale{}, plot.LogScale{}
	p.X.Tick.Marker, p.Y.Tick.Marker = plot.LogTicks{Prec: -1}, plot.LogTicks{Prec: -1}
	p.Add(plotter.NewGrid())
	p.Legend.Top, p.Legend.YOffs = true, -2*vg.Centimeter // between the reference and all others
	for i, c := range r.candidates {
		points := make(results, 0, len(r.batches))
		for _, batch := range r.batches {
			points = append(points, r.result(c.who, batch))
		}
		line, dots, err := plotter.NewLinePoints(points)
		if err != nil {
			return fmt.Errorf("plotting: %w", err)
		}
		bars, err := plotter.NewYErrorBars(points)
		if err != nil {
			return fmt.Errorf("plotting: %w", err)
		}
		line.Color, dots.Color, bars.Color = palette[i], palette[i], palette[i]
		line.Width, dots.Shape = vg.Points(1.5), draw.CircleGlyph{}
		p.Add(line, bars, dots)
		p.Legend.Add(c.who, line, dots)
	}
	p.Legend.Padding = vg.Points(2)
	p.Y.Max *= 1.5
	for _, style := range []*text.Style{&p.X.Label.TextStyle, &p.Y.Label.TextStyle, &p.X.Tick.Label, &p.Y.Tick.Label, &p.Legend.TextStyle} {
		style.Font.Variant = "Sans"
	}
	canvas := vgsvg.New(18*vg.Centimeter, 11*vg.Centimeter)
	p.Draw(draw.New(canvas))
	var svg bytes.Buffer
	if _, err := canvas.WriteTo(&svg); err != nil {
		return fmt.Errorf("plotting: %w", err)
	}
	const family = "Liberation Sans" // the plotter's own, which few have
	out := bytes.ReplaceAll(svg.Bytes(), []byte(family), []byte(family+", Arial, Helvetica, sans-serif"))
	if err := os.WriteFile(file, out, 0o644); err != nil { //nolint:gosec // for all to read
		return fmt.Errorf("plotting: %w", err)
	}
	return nil
}

// palette has a colour for each candidate, told apart by the colour-blind as
// well; Okabe and Ito.
var palette = []color.Color{ //nolint:gochecknoglobals // constant
	color.RGBA{0, 0, 0, 255},
	color.RGBA{230, 159, 0, 255},
	color.RGBA{0, 158, 115, 255},
	color.RGBA{204, 121, 167, 255},
	color.RGBA{86, 180, 233, 255},
	color.RGBA{0, 114, 178, 255},
}

// results are points with their spread, for the plotter.
type results []Result

func (r results) Len() int                { return len(r) }
func (r results) XY(i int) (x, y float64) { return float64(r[i].Batch), r[i].PerRecord }
func (r results) YError(i int) (low, high float64) {
	return r[i].PerRecord - r[i].Min, r[i].Max - r[i].PerRecord
}
