package drift_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/skiff-ml/skiff/inference"
	"github.com/skiff-ml/skiff/inference/bundle"
	"github.com/skiff-ml/skiff/inference/drift"
)

// model is a category of 3 words, a number, and two outputs.
func model() (*bundle.Manifest, *bundle.Sketch) {
	m := &bundle.Manifest{
		Header: bundle.Header{RunID: "run1", Model: "rides", Files: map[string]string{bundle.SketchFile: "sha"}},
		Columns: []bundle.Column{
			{Name: "zone", Kind: bundle.Category, Vocabulary: []bundle.Scalar{bundle.Word("a"), bundle.Word("b"), bundle.Word("c")}},
			{Name: "miles", Kind: bundle.Number},
		},
		Outputs: []bundle.Output{
			{Name: "minutes", Kind: bundle.Number, Width: 1, Link: bundle.Identity},
			{Name: "late", Kind: bundle.Label, Width: 1, Link: bundle.Expit, Labels: []bundle.Scalar{bundle.Word("no"), bundle.Word("yes")}},
		},
	}
	s := &bundle.Sketch{
		Version: 1, Records: 1000, Rejected: 10,
		Columns: []bundle.SketchedColumn{
			{Column: 0, Name: "zone", Bins: []int{1, 2, 3}, Counts: []int{10, 490, 300, 200}, Unknown: 10},
			{Column: 1, Name: "miles", Edges: []float64{1, 2}, Counts: []int{200, 300, 500, 0}, Missing: 5},
		},
		Outputs: []bundle.SketchedOutput{{Name: "minutes", Edges: []float64{10}, Counts: []int{500, 500, 0}}, {Name: "late", Counts: []int{900, 100}}},
	}
	return m, s
}

// some is a batch of records as they are in the sample, or of others.
func some(random *rand.Rand, n int, other bool) *drift.Batch {
	b := &drift.Batch{Columns: []inference.Column{{Name: "zone"}, {Name: "miles", Missing: n / 50, Null: n / 100}}, Rejected: 1}
	pick := func(shares ...float64) float64 {
		x := random.Float64()
		for i, share := range shares {
			if x -= share; x < 0 {
				return float64(i)
			}
		}
		return 0
	}
	for range n {
		zone := pick(0.01, 0.49, 0.3, 0.2)
		if other {
			zone = pick(0.2, 0.1, 0.2, 0.5)
		}
		if zone == 0 {
			b.Columns[0].Unknown++
		}
		late := pick(0.9, 0.1)
		b.X = append(b.X, zone, 0.5+pick(0.2, 0.3, 0.5))
		b.Numbers, b.Labels = append(b.Numbers, 20*pick(0.5, 0.5)), append(b.Labels, int(late))
	}
	return b
}

func counts(t *testing.T, batches ...*drift.Batch) *drift.Counts {
	t.Helper()
	c := drift.NewCounter(model())
	for _, b := range batches {
		c.Add(b)
	}
	hours, err := c.Take(true)
	if err != nil || len(hours) == 0 {
		t.Fatal(err, len(hours))
	}
	for _, hour := range hours[1:] { // the clock struck
		hours[0].Add(hour)
	}
	return hours[0]
}

// What two workers count is, added up, what one counts of all.
func TestMergeIsUnion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		random := rand.New(rand.NewPCG(1, 2))
		var batches []*drift.Batch
		for i := range 20 {
			batches = append(batches, some(random, random.IntN(100), i%3 == 0))
		}
		all, merged := counts(t, batches...), counts(t, batches[:7]...)
		if !merged.Add(counts(t, batches[7:]...)) || !reflect.DeepEqual(all, merged) {
			t.Errorf("got %+v, want %+v", merged, all)
		}
		other := counts(t, batches...)
		other.Sketch = "another"
		if before := fmt.Sprint(merged); merged.Add(other) || fmt.Sprint(merged) != before {
			t.Error("counts of another sketch are added")
		}
	})
}

func TestCompare(t *testing.T) {
	m, s := model()
	random := rand.New(rand.NewPCG(3, 4))
	for _, test := range []struct {
		n        int
		other    bool
		verdicts string
	}{
		{5000, false, "stable stable stable stable: stable"},
		{5000, true, "drift stable stable stable: drift"},
		{20, false, "too few too few too few too few: too few"},
	} {
		r := drift.Compare(m, s, counts(t, some(random, test.n, test.other)))
		var got []string
		for _, l := range append(r.Columns, r.Outputs...) {
			got = append(got, l.Verdict)
		}
		if got := strings.Join(got, " ") + ": " + r.Verdict; got != test.verdicts {
			t.Errorf("%d records, others %v: got %s", test.n, test.other, got)
		}
		if l := r.Outputs[1]; fmt.Sprint(l.Labels) != "[no yes]" || l.Kind != bundle.Label {
			t.Errorf("a label is %+v", l)
		}
		if l := r.Columns[1]; l.Missing.Was != 0.005 || l.Missing.Now != float64(test.n/50-test.n/100)/float64(test.n) || r.Now.Rejected != 1 {
			t.Errorf("missing is %+v, and rejected are %d", l.Missing, r.Now.Rejected)
		}
	}
	if r := drift.Compare(m, s, counts(t, &drift.Batch{Rejected: 3, Columns: make([]inference.Column, 2)})); r.Verdict != drift.TooFew {
		t.Errorf("of nothing the verdict is %s", r.Verdict)
	} else if _, err := json.Marshal(r); err != nil {
		t.Error(err)
	}
}

// What is stable is not called drift by chance: of a thousand samples of the same
// distribution next to none is over the noise.
func TestNoise(t *testing.T) {
	random, over := rand.New(rand.NewPCG(5, 6)), 0
	draw := func(n int) []int {
		of := make([]int, 21)
		for range n {
			of[int(21*math.Pow(random.Float64(), 1.5))]++
		}
		return of
	}
	for range 1000 {
		if was, now := draw(2000), draw(300); drift.PSI(was, now) > drift.Noise(was, now) {
			over++
		}
	}
	if over > 10 {
		t.Errorf("%d of 1000 are over it", over)
	}
}

func TestMeasures(t *testing.T) {
	for _, test := range []struct {
		was, now []int
		psi, js  float64
	}{
		{[]int{500, 500}, []int{5000, 5000}, 0, 0},
		{[]int{5e8, 5e8}, []int{8e8, 2e8}, 0.3 * math.Log(4), 0.0731},
		{[]int{5e8, 5e8, 0}, []int{8e8, 2e8, 0}, 0.3 * math.Log(4), 0.0731},
		{[]int{1e9, 0}, []int{0, 1e9}, 2 * math.Log(2e9), 1},
	} {
		if got := drift.PSI(test.was, test.now); !(math.Abs(got-test.psi) < 1e-3) {
			t.Errorf("PSI of %v and %v is %v, want %v", test.was, test.now, got, test.psi)
		}
		if got := drift.JensenShannon(test.was, test.now); !(math.Abs(got-test.js) < 1e-3) {
			t.Errorf("Jensen-Shannon of %v and %v is %v, want %v", test.was, test.now, got, test.js)
		}
	}
}

// An hour is told once it is over, that which is not when all is asked for.
func TestHours(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := drift.NewCounter(model())
		random := rand.New(rand.NewPCG(7, 8))
		take := func(all bool, want ...string) {
			t.Helper()
			hours, err := c.Take(all)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, h := range hours {
				got = append(got, fmt.Sprint(h.Hour.Hour(), ":", h.Records))
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got %v, want %v", got, want)
			}
		}
		take(true)
		c.Add(some(random, 3, false))
		take(false)
		if now := c.Now(); now == nil || now.Records != 3 {
			t.Errorf("now is %+v", now)
		}
		<-time.After(time.Hour) // of the bubble
		take(false, "0:3")
		take(false)
		c.Add(some(random, 4, false))
		<-time.After(2 * time.Hour)
		c.Add(some(random, 5, false))
		take(false, "1:4")
		take(true, "3:5")
		take(true)
		if c.Now() != nil {
			t.Error("there is something now")
		}
		for range 100 { // nobody takes them
			c.Add(some(random, 1, false))
			<-time.After(time.Hour)
		}
		if hours, _ := c.Take(true); len(hours) != 48 {
			t.Errorf("%d hours are kept", len(hours))
		}
	})
}

// What goes wrong in counting is told once, and touches nothing else.
func TestBroken(t *testing.T) {
	c := drift.NewCounter(model())
	c.Add(&drift.Batch{X: []float64{1, 2}, Labels: []int{7}, Columns: make([]inference.Column, 2)})
	c.See(0, []byte("x"))
	if hours, err := c.Take(true); hours != nil || err == nil {
		t.Errorf("got %v, %v", hours, err)
	}
	if hours, err := c.Take(true); hours != nil || err != nil {
		t.Errorf("got %v, %v", hours, err)
	}
}

// The most frequent words are found among many, in bounded memory, and told no
// longer than they may be.
func TestWords(t *testing.T) {
	c := drift.NewCounter(model())
	random := rand.New(rand.NewPCG(9, 10))
	long := strings.Repeat("é", 100)
	for i := range 20_000 {
		word := fmt.Sprint(random.IntN(1e9))
		switch {
		case i%10 == 0:
			word = "often"
		case i%20 == 1:
			word = long
		}
		c.See(0, []byte(word))
	}
	c.Add(some(random, 1, false))
	hours, err := c.Take(true)
	if err != nil {
		t.Fatal(err)
	}
	words := hours[0].Columns[0].Words
	if len(words) != 20 || words[0].Text != "often" || words[1].Text != strings.Repeat("é", 32) {
		t.Fatalf("got %+v", words)
	}
	for i, n := range []int{2000, 1000} {
		if w := words[i]; w.N < n || w.N-w.Over > n {
			t.Errorf("%+v, of %d", w, n)
		}
	}
	if n := testing.AllocsPerRun(100, func() { c.See(0, []byte(long)); c.See(0, []byte("x")) }); n > 1 {
		t.Errorf("%v allocations", n)
	}
}

func TestAddAllocatesNothing(t *testing.T) {
	c, b := drift.NewCounter(model()), some(rand.New(rand.NewPCG(1, 1)), 1000, false)
	c.Add(b)
	if n := testing.AllocsPerRun(100, func() { c.Add(b) }); n > 0.1 {
		t.Errorf("%v allocations a batch", n)
	}
}

func TestRead(t *testing.T) {
	_, s := model()
	random := rand.New(rand.NewPCG(1, 1))
	line := func(c *drift.Counts) string {
		text, err := json.Marshal(map[string]any{"level": "INFO", "msg": "drift", "drift": c})
		if err != nil {
			t.Fatal(err)
		}
		return string(text) + "\n"
	}
	a, b, other := counts(t, some(random, 10, false)), counts(t, some(random, 20, false)), counts(t, some(random, 5, false))
	b.Hour, other.Sketch = a.Hour.Add(5*time.Hour), "another"
	text := "START RequestId: 1\n" + line(a) + "{\n" + `{"drift": 1}` + "\n2026-01-01T00:00:00 i-1 " + line(b) + line(other) + `{"msg":"drift"}`
	log, err := drift.Read(strings.NewReader(text), s, "sha")
	if err != nil || log.Lines != 2 || log.Others != 1 || log.Hours != 2 || log.Counts.Records != 30 || !log.Last.Equal(b.Hour) {
		t.Errorf("got %+v, %v", log, err)
	}
	for _, text := range []string{`{"drift":{"version":1,"sketch":"sha"}}`, strings.Replace(line(a), `"records":10`, `"records":-1`, 1)} {
		if _, err := drift.Read(strings.NewReader(text), s, "sha"); err == nil {
			t.Errorf("taken: %s", text)
		}
	}
	for text, is := range map[string]bool{
		line(a): true, `x {"level":"INFO","message":"ready"}`: true, `{"ride":{"drift":1},"msg":"x"}`: false, "": false, "[]": false,
	} {
		if drift.IsLog([]byte(text)) != is {
			t.Errorf("%q is a log: %v", text, !is)
		}
	}
}
