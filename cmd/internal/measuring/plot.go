package measuring

import (
	"fmt"
	"image/color"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg/draw"
)

// NewPlot returns an empty plot over batch sizes, both axes logarithmic.
func NewPlot(x, y string) *plot.Plot {
	p := plot.New()
	p.X.Label.Text, p.Y.Label.Text = x, y
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
