package measuring

import (
	"bytes"
	"fmt"
	"image/color"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// NewPlot returns an empty plot.
func NewPlot(x, y string) *plot.Plot {
	p := plot.New()
	p.X.Label.Text, p.Y.Label.Text = x, y
	p.Legend.Top, p.Legend.Padding = true, vg.Points(2)
	for _, style := range []*text.Style{&p.X.Label.TextStyle, &p.Y.Label.TextStyle, &p.X.Tick.Label, &p.Y.Tick.Label, &p.Legend.TextStyle} {
		style.Font.Variant = "Sans"
	}
	return p
}

// NewLogPlot returns an empty plot, both axes logarithmic.
func NewLogPlot(x, y string) *plot.Plot {
	p := NewPlot(x, y)
	p.X.Scale, p.Y.Scale = plot.LogScale{}, plot.LogScale{}
	p.X.Tick.Marker, p.Y.Tick.Marker = plot.LogTicks{Prec: -1}, plot.LogTicks{Prec: -1}
	p.Add(plotter.NewGrid())
	return p
}

// A Point is what a plot has at a batch size.
type Point struct {
	Batch  int
	Spread Spread
}

// Draw adds a line through the medians of points to p, with their spread. It
// returns the line and its dots, for a legend.
func Draw(p *plot.Plot, points []Point, c color.Color) (*plotter.Line, *plotter.Scatter, error) {
	line, dots, err := plotter.NewLinePoints(spreads(points))
	if err != nil {
		return nil, nil, fmt.Errorf("plotting: %w", err)
	}
	bars, err := plotter.NewYErrorBars(spreads(points))
	if err != nil {
		return nil, nil, fmt.Errorf("plotting: %w", err)
	}
	line.Color, dots.Color, bars.Color = c, c, c
	dots.Shape = draw.CircleGlyph{}
	p.Add(line, bars, dots)
	return line, dots, nil
}

// edge is room on the right for half of an axis's last number, and half of it on
// the left for the top of an axis's name, in the font of whoever shows it.
const edge = 5 * vg.Millimeter

// SVG draws p, so large.
func SVG(p *plot.Plot, width, height vg.Length) ([]byte, error) {
	canvas := vgsvg.New(width, height)
	p.Draw(draw.Crop(draw.New(canvas), edge/2, -edge, 0, 0))
	var svg bytes.Buffer
	if _, err := canvas.WriteTo(&svg); err != nil {
		return nil, fmt.Errorf("plotting: %w", err)
	}
	const family = "Liberation Sans" // the plotter's own, which few have
	return bytes.ReplaceAll(svg.Bytes(), []byte(family), []byte(family+", Arial, Helvetica, sans-serif")), nil
}

// spreads are points for the plotter.
type spreads []Point

// Len implements [plotter.XYer].
func (s spreads) Len() int { return len(s) }

// XY implements [plotter.XYer].
func (s spreads) XY(i int) (x, y float64) { return float64(s[i].Batch), s[i].Spread.Median }

// YError implements [plotter.YErrorer].
func (s spreads) YError(i int) (low, high float64) {
	return s[i].Spread.Median - s[i].Spread.Min, s[i].Spread.Max - s[i].Spread.Median
}
