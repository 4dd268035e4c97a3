package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/skiff-ml/skiff/inference/limits"
)

// writeText writes the report as tables for people.
func writeText(w io.Writer, r *Report) error {
	fmt.Fprintf(w, "%s as %s, run %s\n", r.Estimator, r.Lowering, r.RunID)
	fmt.Fprintf(w, "%s, %s, GOMAXPROCS %d, %s, onnxruntime %s with %d thread\n", r.CPU, r.OS, r.GOMAXPROCS, r.Go, r.ONNXRuntime, r.Threads)
	fmt.Fprintf(w, "%d records, %d repetitions of each batch size in turn; a figure is their median\n\n", r.Records, r.Repetitions)

	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "batch\tns/record\t(min\tmax)\tdecode\tencode\tscore\trespond\tpublish\tp50 µs\tp99 µs\trecords/s\tallocs/record\tB/record\t")
	for i := range r.Results {
		b := &r.Results[i]
		s := &b.Stages
		fmt.Fprintf(t, "%d\t%.0f\t%.0f\t%.0f\t%.0f\t%.0f\t%.0f\t%.0f\t%.0f\t%.1f\t%.1f\t%.0f\t%.3f\t%.0f\t\n", b.Batch, b.Record.Median, b.Record.Min, b.Record.Max,
			s.Decode, s.Encode, s.Score, s.Respond, s.Publish, b.P50, b.P99, b.PerSecond, b.Allocs, b.Bytes)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for i := range r.Results {
		if b := &r.Results[i]; b.Payload > limits.Request {
			fmt.Fprintf(w, "A batch of %d such records is %.1f MB: over the 6 MB that Lambda delivers, the mapping cuts it.\n", b.Batch, float64(b.Payload)/(1<<20))
		}
	}
	r.Drift.write(w)
	if err := r.Beside.write(w); err != nil {
		return err
	}
	if c := r.Cold; c != nil {
		fmt.Fprintf(w, "\nCold start, process start to first answer, %d times: %.0f ms (min %.0f, max %.0f)\n", c.FirstAnswer.N, c.FirstAnswer.Median, c.FirstAnswer.Min, c.FirstAnswer.Max)
		fmt.Fprintf(w, "  process and answer %.1f ms, bundle %.1f ms, onnxruntime %.1f ms, model %.1f ms, goldens %.1f ms\n", c.Process, c.Bundle, c.ONNXRuntime, c.Model, c.Goldens)
	}
	if s := r.Serving; s != nil {
		fmt.Fprintf(w, "\nAs a Lambda function, %d records in batches of %d, published to a server on this machine, each way in turn:\n", s.Records, s.Batch)
		for _, s := range append([]*Serving{s}, r.Otherwise...) {
			fmt.Fprintf(w, "  %s: %.2f µs of processor time a record, %.2f µs in all; %.0f MB of memory at the end, %.0f MB at most\n",
				s.way(), s.CPUPerRec, s.WallPerRec, s.RSS, s.PeakRSS)
		}
	}
	fmt.Fprintf(w, "\nOn Lambda, US dollars per million records on x86 (and GB-seconds), the handler's own time and the requests:\n")
	t = tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(t, "batch\t")
	for _, mb := range memorySizes {
		fmt.Fprintf(t, "%d MB\t\t", mb)
	}
	fmt.Fprintln(t)
	for i := range r.Results {
		fmt.Fprintf(t, "%d\t", r.Results[i].Batch)
		for m := range memorySizes {
			c := &r.Costs[m*len(r.Results)+i]
			fmt.Fprintf(t, "%.5f\t(%.2f)\t", c.DollarsX86, c.GBSeconds)
		}
		fmt.Fprintln(t)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\nUse batches of %d with %d MB: %s.\n", r.Recommended.Batch, r.Recommended.MemoryMB, r.Recommended.Why)
	return err
}

// way names the way of publishing.
func (s *Serving) way() string {
	way := "plain"
	if s.TLS {
		way = "TLS"
	}
	if s.Aggregation != "off" {
		way += ", aggregated"
	}
	return way
}
