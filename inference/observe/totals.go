package observe

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// buckets are the upper bounds of an invocation's time, in seconds.
var buckets = []float64{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10} //nolint:gochecknoglobals // constant

// maxSeries is how many columns have a series of their own since the start.
const maxSeries = 50

// Totals are the sums of all invocations since the start, in the text format
// that Prometheus reads.
// https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
type Totals struct {
	mu      sync.Mutex
	sums    map[string]float64 // by the series' name and labels
	last    *Measurement
	in      []int // invocations by bucket
	seconds float64
	count   int
}

// NewTotals returns sums of nothing yet.
func NewTotals() *Totals { return &Totals{sums: map[string]float64{}, in: make([]int, len(buckets))} }

// Add adds an invocation.
func (t *Totals) Add(m *Measurement) {
	t.mu.Lock()
	defer t.mu.Unlock()
	result := "success"
	if m.Failed {
		result = "failure"
	}
	t.sums[`invocations_total{result="`+result+`"}`]++
	t.sums["records_total"] += float64(m.Records)
	t.sums["predictions_total"] += float64(m.Predictions)
	t.sums["canary_predictions_total"] += float64(m.Canary)
	t.sums["rejected_total"] += float64(m.Rejected)
	t.sums["unsent_total"] += float64(m.Unsent)
	t.sums["retries_total"] += float64(m.Retries)
	t.addAll("dead_letters_total", "reason", m.DeadLetters)
	t.addAll("unknown_categories_total", "column", m.Unknown)
	t.addAll("missing_values_total", "column", m.Missing)
	took := 0.0
	for stage, d := range map[string]time.Duration{
		"decode": m.Timing.Decode, "encode": m.Timing.Encode, "score": m.Timing.Score, "respond": m.Timing.Respond, "publish": m.Timing.Publish,
	} {
		t.sums[`stage_seconds_total{stage="`+stage+`"}`] += d.Seconds()
		took += d.Seconds()
	}
	if s := m.Shadow; s != nil {
		t.sums["shadow_records_total"] += float64(s.Records)
		t.sums["shadow_beyond_total"] += float64(s.Beyond)
		t.sums["shadow_labels_changed_total"] += float64(s.LabelsChanged)
	}
	for i := len(buckets) - 1; i >= 0 && took <= buckets[i]; i-- {
		t.in[i]++
	}
	t.seconds += took
	t.count++
	t.last = m
}

func (t *Totals) addAll(name, label string, counts []Count) {
	series := 0
	for key := range t.sums {
		if strings.HasPrefix(key, name) {
			series++
		}
	}
	for _, c := range counts {
		key := name + "{" + label + "=" + quoteLabel(c.Name) + "}"
		if _, ok := t.sums[key]; !ok && series >= maxSeries {
			key = name + "{" + label + `="` + other + `"}`
		}
		t.sums[key] += float64(c.N)
	}
}

// quoteLabel returns a label's value as the format has it.
func quoteLabel(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`).Replace(strings.ToValidUTF8(s, "\ufffd")) + `"`
}

// helps are the metrics' meanings, by name.
var helps = map[string]string{ //nolint:gochecknoglobals // constant
	"invocations_total":           "Invocations with a batch.",
	"records_total":               "Records that came.",
	"predictions_total":           "Predictions published.",
	"canary_predictions_total":    "Of them, the canary's.",
	"rejected_total":              "Records that can never succeed.",
	"dead_letters_total":          "Dead letters confirmed.",
	"unsent_total":                "Records that are tried again.",
	"retries_total":               "Messages that a sink did not take at a try.",
	"unknown_categories_total":    "Categories that training did not have.",
	"missing_values_total":        "Values that are absent or null.",
	"stage_seconds_total":         "Time spent.",
	"shadow_records_total":        "Records that the shadow scored too.",
	"shadow_beyond_total":         "Predictions of the shadow that differ by more than SHADOW_THRESHOLD.",
	"shadow_labels_changed_total": "Labels that the shadow predicts otherwise.",
}

// WriteTo writes the sums.
func (t *Totals) WriteTo(w io.Writer) (int64, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	var b strings.Builder
	head := ""
	for _, key := range slices.Sorted(maps.Keys(t.sums)) {
		name, _, _ := strings.Cut(key, "{")
		if name != head {
			head = name
			fmt.Fprintf(&b, "# HELP skiff_%s %s\n# TYPE skiff_%s counter\n", name, helps[name], name)
		}
		fmt.Fprintf(&b, "skiff_%s %s\n", key, number(t.sums[key]))
	}
	fmt.Fprint(&b, "# HELP skiff_invocation_seconds Time of an invocation.\n# TYPE skiff_invocation_seconds histogram\n")
	for i, bucket := range buckets {
		fmt.Fprintf(&b, "skiff_invocation_seconds_bucket{le=\"%s\"} %d\n", number(bucket), t.in[i])
	}
	fmt.Fprintf(&b, "skiff_invocation_seconds_bucket{le=\"+Inf\"} %d\nskiff_invocation_seconds_sum %s\nskiff_invocation_seconds_count %d\n",
		t.count, number(t.seconds), t.count)
	gauge := func(name, help, labels string, value float64) {
		fmt.Fprintf(&b, "# HELP skiff_%s %s\n# TYPE skiff_%s gauge\nskiff_%s%s %s\n", name, help, name, name, labels, number(value))
	}
	if m := t.last; m != nil {
		gauge("model_info", "The run that made the last predictions.", "{run_id="+quoteLabel(m.RunID)+"}", 1)
		if m.Alias {
			gauge("model_behind", "The alias stands for something that is not served.", "", bit(m.Behind))
		}
		gauge("batch_records", "Records of the last batch.", "", float64(m.Records))
		if m.ModelAge >= 0 {
			gauge("model_age_seconds", "Since the model was logged.", "", m.ModelAge.Round(time.Second).Seconds())
		}
		if m.IteratorAge >= 0 {
			gauge("iterator_age_seconds", "Of the last record, when it was handled.", "", cmp.Or(m.IteratorAge.Seconds(), 0))
		}
	}
	n, err := io.WriteString(w, b.String())
	return int64(n), err
}

func number(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }
