//go:build !race

package main

import (
	"slices"
	"testing"

	"github.com/skiff-ml/skiff/cmd/internal/shipped"
)

// Each damage is refused before anything is served: in one line with a hint, in
// time, and in little memory; and onnxruntime has no line of its own.
func TestDamagedBundlesAreRefused(t *testing.T) {
	run := shipped.ReadRuns(t).Linear
	all := slices.Concat(damagedFiles(), damagedManifests(), damagedGoldens(), damagedGraphs())
	if len(all) < 50 {
		t.Errorf("there are %d damages", len(all))
	}
	for _, d := range all {
		t.Run(d.name, func(t *testing.T) {
			folder := copyBundle(t, run)
			if err := d.do(folder); err != nil {
				t.Fatal(err)
			}
			refused(t, folder, run, d.want)
		})
	}
}
