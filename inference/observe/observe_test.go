package observe_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/skiff-ml/skiff/inference"
	"github.com/skiff-ml/skiff/inference/observe"
)

// sinkFunc is a sink.
type sinkFunc func([]inference.Message) ([]int, error)

func (f sinkFunc) Put(_ context.Context, messages []inference.Message) ([]int, error) {
	return f(messages)
}

// A batch of six: three published, one dead-lettered for each of two reasons,
// one to be tried again.
func batch() *inference.Batch {
	b := &inference.Batch{}
	b.Reset(6)
	b.RunID, b.Logged = "run1", time.Now().Add(-36*time.Hour)
	for i := range 3 {
		b.Outcomes[i].Fate = inference.Published
	}
	for i, reason := range []inference.Reason{inference.NotJSON, inference.MissingField} {
		b.Reject(3+i, &inference.Rejection{Reason: reason})
		b.Outcomes[3+i].DeadLettered = true
	}
	b.Outcomes[5] = inference.Outcome{Fate: inference.Retry, Err: errors.New("throttled")}
	b.Items[5].Arrived = fmt.Appendf(nil, "%.3f", float64(time.Now().Add(-1500*time.Millisecond).UnixMilli())/1000)
	b.Columns = []inference.Column{{Name: "PU_DO", Unknown: 2}, {Name: `a "quoted" one`, Missing: 1}, {Name: "quiet"}}
	b.Timing = inference.Timing{Decode: 1500, Encode: 2 * time.Microsecond, Score: 3 * time.Microsecond, Respond: 4 * time.Microsecond, Publish: 20 * time.Millisecond}
	return b
}

// observed has the observer told of it, in a context with so many retries.
func observed(t *testing.T, o *observe.Observer, b *inference.Batch, retries int) {
	t.Helper()
	ctx := observe.With(t.Context())
	sink := observe.Sink{Sink: sinkFunc(func(m []inference.Message) ([]int, error) { return make([]int, len(m)), errors.New("throttled") })}
	if failed, err := sink.Put(ctx, make([]inference.Message, retries)); len(failed) != retries || err == nil {
		t.Errorf("the sink answered %v, %v", failed, err)
	}
	o.Observe(ctx, b, nil)
}

// An invocation is one line, which CloudWatch's specification has.
func TestEMF(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var lines bytes.Buffer
		o := &observe.Observer{EMF: observe.NewEMF(&lines, "skiff", "rides")}
		observed(t, o, batch(), 7)
		want := map[string]float64{
			"Records": 6, "Predictions": 3, "Rejected": 2, "DeadLetters": 2, "DeadLetters.not_json": 1, "DeadLetters.missing_field": 1,
			"Unsent": 1, "Retries": 7, "UnknownCategories": 2, "UnknownCategories.PU_DO": 2, "MissingValues": 1, `MissingValues.a "quoted" one`: 1,
			"DecodeTime": 1.5, "EncodeTime": 2, "ScoreTime": 3, "RespondTime": 4, "PublishTime": 20000, "ModelAge": 129600, "IteratorAge": 1500,
		}
		got := metrics(t, lines.Bytes())
		for name, value := range want {
			if got[name] != value {
				t.Errorf("%s is %v, want %v", name, got[name], value)
			}
		}
		if len(got) != len(want) || !strings.Contains(lines.String(), `"FunctionName":"rides","run_id":"run1"`) {
			t.Errorf("it has %d metrics, want %d: %s", len(got), len(want), &lines)
		}

		// names are CloudWatch's: in ASCII, not too long, and each once
		lines.Reset()
		odd := &inference.Batch{}
		odd.Reset(0)
		odd.Columns = []inference.Column{{Name: "größe", Missing: 1}, {Name: "gr\nße", Missing: 2}, {Name: "gräße", Missing: 4}, {Name: strings.Repeat("x", 2000), Missing: 8}, {Missing: 16}}
		observed(t, o, odd, 0)
		got = metrics(t, lines.Bytes())
		if got["MissingValues"] != 31 || got["MissingValues.gr__e"] != 7 || got["MissingValues."+strings.Repeat("x", 200)] != 8 || got["MissingValues."] != 16 {
			t.Errorf("got %v", got)
		}

		// what is not known is left out, and of very many columns most are one
		lines.Reset()
		b := &inference.Batch{}
		b.Reset(1)
		for i := range 1000 {
			b.Columns = append(b.Columns, inference.Column{Name: fmt.Sprint("c", i), Unknown: i, Missing: 1000 - i})
		}
		observed(t, o, b, 0)
		got = metrics(t, lines.Bytes())
		if _, ok := got["ModelAge"]; ok || got["UnknownCategories"] != 499500 || got["UnknownCategories.c999"] != 999 || got["MissingValues.c0"] != 1000 ||
			got["UnknownCategories.other"] != 499500-9945 || len(got) > 40 {
			t.Errorf("got %v", got)
		}
	})
}

// metrics reads a line as CloudWatch does: those that it declares, each with a
// unit and a number of its own at the top.
func metrics(t *testing.T, line []byte) map[string]float64 {
	t.Helper()
	if bytes.Count(line, []byte("\n")) != 1 {
		t.Fatalf("not one line: %s", line)
	}
	var document struct {
		AWS struct {
			Timestamp         int64
			CloudWatchMetrics []struct {
				Namespace  string
				Dimensions [][]string
				Metrics    []struct{ Name, Unit string }
			}
		} `json:"_aws"`
	}
	var top map[string]any
	if err := errors.Join(json.Unmarshal(line, &document), json.Unmarshal(line, &top)); err != nil {
		t.Fatalf("%v: %s", err, line)
	}
	d := document.AWS.CloudWatchMetrics[0]
	if d.Namespace != "skiff" || fmt.Sprint(d.Dimensions) != "[[FunctionName]]" || document.AWS.Timestamp != time.Now().UnixMilli() || len(d.Metrics) > 100 {
		t.Errorf("it declares %+v at %d", d, document.AWS.Timestamp)
	}
	values := map[string]float64{}
	for _, m := range d.Metrics {
		value, ok := top[m.Name].(float64)
		if !ok || m.Unit == "" {
			t.Errorf("%s (%s) has the value %v", m.Name, m.Unit, top[m.Name])
		}
		values[m.Name] = value
	}
	return values
}

func TestTotals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		totals := observe.NewTotals()
		o := &observe.Observer{Totals: totals, Log: slog.New(slog.DiscardHandler)}
		observed(t, o, batch(), 7)
		observed(t, o, batch(), 0)
		o.Observe(t.Context(), &inference.Batch{}, errors.New("no such stream"))
		var text bytes.Buffer
		if n, err := totals.WriteTo(&text); int(n) != text.Len() || err != nil {
			t.Error(n, err)
		}
		for _, line := range []string{
			"# HELP skiff_records_total Records that came.\n# TYPE skiff_records_total counter\nskiff_records_total 12\n",
			`skiff_invocations_total{result="failure"} 1` + "\n" + `skiff_invocations_total{result="success"} 2` + "\n",
			`skiff_dead_letters_total{reason="not_json"} 2` + "\n", `skiff_unknown_categories_total{column="PU_DO"} 4` + "\n",
			`skiff_missing_values_total{column="a \"quoted\" one"} 2` + "\n", "skiff_retries_total 7\n", "skiff_unsent_total 2\n",
			`skiff_stage_seconds_total{stage="publish"} 0.04` + "\n",
			`skiff_invocation_seconds_bucket{le="0.001"} 1` + "\n", `skiff_invocation_seconds_bucket{le="0.025"} 3` + "\n", "skiff_invocation_seconds_count 3\n",
		} {
			if !strings.Contains(text.String(), line) {
				t.Errorf("without %s:\n%s", line, &text)
			}
		}
		valid := regexp.MustCompile(`^(# (HELP|TYPE) skiff_\w+ .+|skiff_\w+(\{\w+="([^"\\]|\\.)*"\})? [0-9.e+-]+)$`)
		for line := range strings.Lines(text.String()) {
			if !valid.MatchString(strings.TrimSuffix(line, "\n")) {
				t.Errorf("no line of the format: %s", line)
			}
		}
	})
}

// Each metric has a row in the guide, with the question that it answers.
func TestMetricsAreDocumented(t *testing.T) {
	guide, err := os.ReadFile("../../deploy/README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(guide), "# Metrics\n")
	table, _, _ = strings.Cut(table, "\n# ")
	for _, name := range observe.Names() {
		if !strings.Contains(table, "`"+name+"`") {
			t.Errorf("the guide has no question for %s", name)
		}
	}
}
