package main

import (
	"fmt"
	"io"
	"runtime"
	"strings"
	"text/tabwriter"

	"github.com/skiff-ml/skiff/inference/limits"
)

// writeText writes the report as tables for people.
func writeText(w io.Writer, r *Report) error {
	v := r.versions
	fmt.Fprintf(w, "Run %s; %s, processor %d alone, one thread\n", r.RunID, r.CPU, r.cpu)
	fmt.Fprintf(w, "Python %s", v["python"])
	for _, name := range []string{"scikit-learn", "xgboost-cpu", "pandas", "numpy", "onnxruntime"} {
		if v[name] != "" {
			fmt.Fprintf(w, ", %s %s", name, v[name])
		}
	}
	fmt.Fprintf(w, "; %s\n", runtime.Version())
	fmt.Fprintf(w, "Each from an event's bytes to its response's, into a stream that takes everything at once.\n\n")
	for _, c := range r.candidates {
		fmt.Fprintf(w, "  %-16s %s\n", c.who, c.about)
	}
	fmt.Fprintf(w, "\nµs a record, by records an invocation: median (min–max) of %d rounds over all of them, in turn\n", r.rounds)
	if err := r.table(w, func(result Result) string {
		return fmt.Sprintf("%s\t(%s–%s)", figure(result.PerRecord), figure(result.Min), figure(result.Max))
	}); err != nil {
		return err
	}
	if err := r.notes(w); err != nil {
		return err
	}
	for _, skiff := range []string{skiffTable, skiffTrees} {
		if r.result(skiff, r.batches[0]).Who == "" {
			continue
		}
		fmt.Fprintf(w, "\nTimes what %s takes\n", skiff)
		if err := r.table(w, func(result Result) string {
			return figure(result.PerRecord/r.result(skiff, result.Batch).PerRecord) + "\t"
		}); err != nil {
			return err
		}
	}
	return r.other(w)
}

// table writes a figure of each candidate at each batch size: two cells.
func (r *Report) table(w io.Writer, cells func(Result) string) error {
	t := tabwriter.NewWriter(w, 0, 0, 1, ' ', tabwriter.AlignRight)
	fmt.Fprint(t, "\t")
	for _, batch := range r.batches {
		fmt.Fprintf(t, "   %d\t\t", batch)
	}
	fmt.Fprintln(t)
	for _, c := range r.candidates {
		fmt.Fprintf(t, "%s\t", c.who)
		for _, batch := range r.batches {
			fmt.Fprintf(t, "   %s\t", cells(r.result(c.who, batch)))
		}
		fmt.Fprintln(t)
	}
	return t.Flush()
}

// notes says where the work was not the same, and what Lambda would not send.
func (r *Report) notes(w io.Writer) error {
	for _, result := range r.Results {
		if result.Records != result.Batch {
			fmt.Fprintf(w, "%s at %d: events of %d records; one costs it the same in any batch.\n", result.Who, result.Batch, result.Records)
		}
	}
	for _, batch := range r.batches {
		size, err := r.events.payload(batch)
		if err != nil {
			return err
		}
		if size > limits.Request {
			fmt.Fprintf(w, "An event of %d such records has %.1f MiB: over the 6 MiB that Lambda delivers, the mapping cuts it.\n", batch, float64(size)/(1<<20))
		}
	}
	return nil
}

// other writes what does not depend on the batch size.
func (r *Report) other(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "\n\tcold start, ms\t(min–max)\tmemory, MiB\tdisk, MB\tpredictions\tequal to the bit\tlargest difference, minutes\t")
	for _, c := range r.candidates {
		p, cold := r.Predictions[c.who], r.cold[c.who]
		fmt.Fprintf(t, "%s\t%.0f\t(%.0f–%.0f)\t%.0f\t%.0f\t%d\t%d\t%.2g\t\n", c.who, cold.Median, cold.Min, cold.Max,
			r.RSS[c.who], r.Disk[c.who], p.Compared, p.Equal, p.Largest)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, `Cold start: process start to first answer, files in the system's cache, median of %d starts; skiff's has its goldens replayed.
Memory: resident after %v of batches of %d. Disk: packages, program, model; without Python and boto3, which Lambda has;
skiff's program is the whole worker, AWS's SDK in it, plain Go's has none.
`, r.starts, r.steady, checkBatch)
	return err
}

// figure writes x with three digits that count, more where it is larger.
func figure(x float64) string {
	switch {
	case x >= 1000:
		s := fmt.Sprintf("%.0f", x)
		var groups []string
		for len(s) > 3 {
			groups, s = append([]string{s[len(s)-3:]}, groups...), s[:len(s)-3]
		}
		return strings.Join(append([]string{s}, groups...), ",")
	case x >= 100:
		return fmt.Sprintf("%.0f", x)
	case x >= 10:
		return fmt.Sprintf("%.1f", x)
	}
	return fmt.Sprintf("%.2f", x)
}
