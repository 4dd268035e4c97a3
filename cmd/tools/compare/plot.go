package main

import (
	"fmt"
	"image/color"
	"os"

	"gonum.org/v1/plot/vg"

	"github.com/skiff-ml/skiff/cmd/tools/internal/measuring"
)

// writePlot draws what a record costs each candidate over batch sizes, with
// the spread, as an SVG.
func writePlot(file string, r *Report) error {
	p := measuring.NewLogPlot("records an invocation", "µs a record")
	p.BackgroundColor = color.White
	p.Legend.YOffs = -2 * vg.Centimeter // between the reference and all others
	for i, c := range r.candidates {
		var points []measuring.Point
		for _, batch := range r.batches {
			us := r.result(c.who, batch)
			points = append(points, measuring.Point{Batch: batch, Spread: measuring.Spread{Median: us.PerRecord, Min: us.Min, Max: us.Max, N: us.N}})
		}
		line, dots, err := measuring.Draw(p, points, palette[i])
		if err != nil {
			return err
		}
		line.Width = vg.Points(1.5)
		p.Legend.Add(c.who, line, dots)
	}
	p.Y.Max *= 1.5
	svg, err := measuring.SVG(p, 18*vg.Centimeter, 11*vg.Centimeter)
	if err != nil {
		return err
	}
	if err := os.WriteFile(file, svg, 0o644); err != nil { //nolint:gosec // for all to read
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
