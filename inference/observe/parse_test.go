package observe_test

import (
	"bytes"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/skiff-ml/skiff/inference/observe"
)

// What is read of a line is what was measured.
func TestParse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var lines bytes.Buffer
		var want observe.Measurement
		live := recorderFunc(func(m *observe.Measurement, _ time.Time) { want = *m })
		observed(t, &observe.Observer{EMF: observe.NewEMF(&lines, "skiff", "rides"), Live: live}, batch(), 7)
		slices.SortFunc(want.DeadLetters, func(a, b observe.Count) int { return strings.Compare(a.Name, b.Name) })
		got, at := observe.Parse(lines.Bytes())
		if got == nil || !reflect.DeepEqual(*got, want) {
			t.Errorf("read %+v, want %+v", got, want)
		}
		if !at.Equal(time.Now()) {
			t.Errorf("it was at %v, now is %v", at, time.Now())
		}
	})
	for _, line := range []string{"", "{}", `{"_aws":`, `{"_aws":{}`, `{"_aws":1}`, `{"time":"2026","msg":"ready"}`} {
		if got, _ := observe.Parse([]byte(line)); got != nil {
			t.Errorf("%s: %+v", line, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"_aws":{"Timestamp":1},"Records":1e300,"UnknownCategories.a":1,"run_id":"r"}`))
	f.Fuzz(func(_ *testing.T, line []byte) { observe.Parse(line) })
}

type recorderFunc func(m *observe.Measurement, now time.Time)

// Record implements [observe.Recorder].
func (f recorderFunc) Record(m *observe.Measurement, now time.Time) { f(m, now) }
