package main

import (
	"math"

	"github.com/skiff-ml/skiff/inference/limits"
)

// Lambda's prices: US dollars in us-east-1, first tier, as listed in November
// 2025 at aws.amazon.com/lambda/pricing. This is the only place that has them.
const (
	dollarsPerGBSecondX86 = 0.0000166667
	dollarsPerGBSecondArm = 0.0000133334
	dollarsPerRequest     = 0.20 / 1e6
)

// Lambda gives a function processor time in proportion to its memory.
const mbPerCore = 1769 // Lambda documentation

// memorySizes are the functions' sizes to compare, in MB.
var memorySizes = []int{256, 512, 1024, mbPerCore} //nolint:gochecknoglobals // a constant list

// tolerance is how much more than the cheapest the recommended batch may cost:
// below it a smaller batch is worth more, since a record waits for its batch
// and a failed batch comes again as a whole.
const tolerance = 0.10

// A Cost is what a million records cost at a batch and memory size.
type Cost struct {
	Batch      int     `json:"batch"`
	MemoryMB   int     `json:"memory_mb"`
	GBSeconds  float64 `json:"gb_seconds_per_million"`
	DollarsX86 float64 `json:"dollars_per_million_x86"` // requests included
	DollarsArm float64 `json:"dollars_per_million_arm"` // at the speed measured here
}

// costOf prices the handler's own time: not the waiting for the output stream,
// which is as long for every batch size.
func costOf(r Result, memoryMB int) Cost {
	cores := math.Min(1, float64(memoryMB)/mbPerCore)
	ms := math.Ceil(r.Record.Median * float64(r.Batch) / cores / 1e6) // billed by the millisecond begun
	invocations := 1e6 / float64(r.Batch)
	gbs := invocations * ms / 1000 * float64(memoryMB) / 1024
	return Cost{
		Batch:      r.Batch,
		MemoryMB:   memoryMB,
		GBSeconds:  gbs,
		DollarsX86: gbs*dollarsPerGBSecondX86 + invocations*dollarsPerRequest,
		DollarsArm: gbs*dollarsPerGBSecondArm + invocations*dollarsPerRequest,
	}
}

// costs prices every result at every memory size.
func costs(results []Result) []Cost {
	var all []Cost
	for _, mb := range memorySizes {
		for _, r := range results {
			all = append(all, costOf(r, mb))
		}
	}
	return all
}

// A Recommendation is a batch size, with the reason.
type Recommendation struct {
	Batch    int    `json:"batch"`
	MemoryMB int    `json:"memory_mb"`
	Why      string `json:"why"`
}

const recommendedMemory = 512 // MB: the worker takes a fraction, and the tutorial's function has it

// recommend returns the smallest batch size within tolerance of the cheapest,
// of those whose event Lambda can deliver. The results are in ascending order.
func recommend(results []Result) Recommendation {
	cheapest := math.Inf(1)
	for _, r := range results {
		if r.Payload <= limits.Request {
			cheapest = math.Min(cheapest, costOf(r, recommendedMemory).DollarsX86)
		}
	}
	best := Recommendation{Batch: results[0].Batch, MemoryMB: recommendedMemory}
	for _, r := range results {
		if r.Payload <= limits.Request && costOf(r, recommendedMemory).DollarsX86 <= cheapest*(1+tolerance) {
			best.Batch = r.Batch
			break
		}
	}
	if math.IsInf(cheapest, 1) {
		best.Why = "the smallest that was measured: Lambda delivers none of these"
		return best
	}
	best.Why = "the smallest batch within 10 % of the cheapest: larger ones save nothing, wait longer, and are more to do again after a failure"
	return best
}
