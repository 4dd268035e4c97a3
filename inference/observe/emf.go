package observe

import (
	"io"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/skiff-ml/skiff/inference/jsonscan"
)

// maxMetrics is how many metrics a line may have: CloudWatch reads no more.
const maxMetrics = 100

// An EMF writes invocations as lines of CloudWatch's embedded metric format.
// Lambda hands them on from the log: there is no call, and nothing waits.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
type EMF struct {
	w         io.Writer
	namespace string
	function  string // the dimension

	mu   sync.Mutex
	line []byte
}

// NewEMF returns one that writes to w, under the namespace, of a function.
func NewEMF(w io.Writer, namespace, function string) *EMF {
	return &EMF{w: w, namespace: namespace, function: function}
}

// A metric is one of a line.
type metric struct {
	name, unit string
	value      float64
}

// metrics are those of an invocation: what is always there, then what there is
// something to count of.
func (m *Measurement) metrics() []metric {
	micro := func(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1000 }
	all := []metric{
		{"Records", "Count", float64(m.Records)},
		{"Predictions", "Count", float64(m.Predictions)},
		{"Rejected", "Count", float64(m.Rejected)},
		{"DeadLetters", "Count", float64(sum(m.DeadLetters))},
		{"Unsent", "Count", float64(m.Unsent)},
		{"Retries", "Count", float64(m.Retries)},
		{"UnknownCategories", "Count", float64(sum(m.Unknown))},
		{"MissingValues", "Count", float64(sum(m.Missing))},
		{"DecodeTime", "Microseconds", micro(m.Timing.Decode)},
		{"EncodeTime", "Microseconds", micro(m.Timing.Encode)},
		{"ScoreTime", "Microseconds", micro(m.Timing.Score)},
		{"RespondTime", "Microseconds", micro(m.Timing.Respond)},
		{"PublishTime", "Microseconds", micro(m.Timing.Publish)},
	}
	if m.Canary > 0 {
		all = append(all, metric{"CanaryPredictions", "Count", float64(m.Canary)})
	}
	if m.ModelAge >= 0 {
		all = append(all, metric{"ModelAge", "Seconds", m.ModelAge.Round(time.Second).Seconds()})
	}
	if m.IteratorAge >= 0 {
		all = append(all, metric{"IteratorAge", "Milliseconds", float64(m.IteratorAge.Milliseconds())})
	}
	if m.Alias {
		all = append(all, metric{"ModelBehind", "Count", bit(m.Behind)})
	}
	all = append(all, m.Shadow.metrics()...)
	each := func(prefix string, counts []Count) {
		var named []Count
		for _, c := range counts {
			named = add(named, metricName(c.Name), c.N)
		}
		for _, c := range named {
			all = append(all, metric{prefix + c.Name, "Count", float64(c.N)})
		}
	}
	each("DeadLetters.", m.DeadLetters)
	each("UnknownCategories.", m.Unknown)
	each("MissingValues.", m.Missing)
	return all[:min(len(all), maxMetrics)]
}

// longestName is how much of a column's name is in a metric's, in bytes: of 255,
// less the prefix.
const longestName = 200

// metricName returns a column's name as CloudWatch takes it, in ASCII: of a line
// with one that it does not take, it takes nothing.
func metricName(column string) string {
	name := strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '_'
		}
		return r
	}, column)
	return name[:min(len(name), longestName)]
}

func bit(is bool) float64 {
	if is {
		return 1
	}
	return 0
}

// Write writes an invocation as one line.
func (e *EMF) Write(m *Measurement, now time.Time) error {
	all := m.metrics()
	e.mu.Lock()
	defer e.mu.Unlock()
	line := append(e.line[:0], `{"_aws":{"Timestamp":`...)
	line = strconv.AppendInt(line, now.UnixMilli(), 10)
	line = append(line, `,"CloudWatchMetrics":[{"Namespace":`...)
	line = appendQuoted(line, e.namespace)
	line = append(line, `,"Dimensions":[["FunctionName"]],"Metrics":[`...)
	for i, m := range all {
		if i > 0 {
			line = append(line, ',')
		}
		line = appendQuoted(append(line, `{"Name":`...), m.name)
		line = append(append(append(line, `,"Unit":"`...), m.unit...), `"}`...)
	}
	line = appendQuoted(append(line, `]}]},"FunctionName":`...), e.function)
	line = appendQuoted(append(line, `,"run_id":`...), m.RunID)
	line = appendShadow(line, m.Shadow)
	for _, m := range all {
		line = append(appendQuoted(append(line, ','), m.name), ':')
		line = strconv.AppendFloat(line, m.value, 'f', -1, 64)
	}
	e.line = append(line, "}\n"...)
	_, err := e.w.Write(e.line)
	return err
}

func appendQuoted(dst []byte, s string) []byte {
	return append(dst, jsonscan.Quote(s)...)
}

// Names returns the names of all metrics of a line, less those by reason and by
// column.
func Names() []string {
	var names []string
	for _, m := range (&Measurement{Alias: true, Canary: 1, Shadow: &Shadow{Records: 1}}).metrics() {
		names = append(names, m.name)
	}
	return names
}
