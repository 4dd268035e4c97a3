package main

import (
	"encoding/json"
	"io"
	"path/filepath"

	"github.com/skiff-ml/skiff/cmd/tools/internal/measuring"
)

// A Report is all that was measured, and where.
type Report struct {
	RunID       string               `json:"run_id"`
	CPU         string               `json:"cpu"`
	Results     []Result             `json:"results"`
	ColdStart   map[string]float64   `json:"cold_start_ms"` // process start to first answer
	RSS         map[string]float64   `json:"rss_mb"`        // MiB, serving batches of 1,000
	Disk        map[string]float64   `json:"disk_mb"`       // 10^6 bytes
	Predictions map[string]Agreement `json:"predictions"`

	*comparison `json:"-"`
	cold        map[string]measuring.Spread
	versions    map[string]string // of Python and its packages
}

func newReport(c *comparison) *Report {
	skiff := c.candidates[len(c.candidates)-1]
	return &Report{
		RunID: filepath.Base(skiff.command[len(skiff.command)-1]), CPU: measuring.CPU(), comparison: c,
		ColdStart: map[string]float64{}, RSS: map[string]float64{}, Disk: map[string]float64{},
		Predictions: map[string]Agreement{}, cold: map[string]measuring.Spread{},
	}
}

// result returns a candidate's result at a batch size.
func (r *Report) result(who string, batch int) Result {
	for _, result := range r.Results {
		if result.Who == who && result.Batch == batch {
			return result
		}
	}
	return Result{}
}

func writeJSON(w io.Writer, r *Report) error { return json.NewEncoder(w).Encode(r) }
