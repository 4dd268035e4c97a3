package drift

import (
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/skiff-ml/skiff/inference"
	"github.com/skiff-ml/skiff/inference/bundle"
)

// A Batch is what a model has made of a batch of records: rows of its input, and
// its predictions.
type Batch struct {
	X        []float64          // rows, row-major, of as many values as the model has columns
	Numbers  []float64          // predictions, row-major: of each the numbers that are outputs
	Labels   []int              // likewise, of each the indexes of its labels
	Columns  []inference.Column // what is missing and unknown, by the columns' names
	Rejected int                // records without a row
}

// maxHours is how many hours wait to be taken. Whoever takes none has the last.
const maxHours = 48

// A Counter counts batches in the bins of a bundle's sketch, by the hour in which
// they come. Calls may be concurrent.
type Counter struct {
	Words bool // words that training did not have are kept, too; set before the first batch

	runID, sha256 string
	sketch        *bundle.Sketch
	width         int // columns of X
	numbers       int // of a prediction
	labels        int
	columns       []column
	outputs       []output

	mu     sync.Mutex
	now    *Counts
	hours  []*Counts // that are over, and not taken
	tops   map[int]*top
	broken error
	said   bool
}

// A column is one of the sketch's, ready for use.
type column struct {
	at    int     // in a row of X
	name  int     // of a batch's columns
	bins  []uint8 // of a category: of each code
	edges []float64
}

// An output is one of the sketch's.
type output struct {
	at    int // of a prediction's numbers, or of its labels
	label bool
	edges []float64
}

// NewCounter returns a counter for a bundle's model.
func NewCounter(m *bundle.Manifest, s *bundle.Sketch) *Counter {
	c := &Counter{runID: m.RunID, sha256: m.Files[bundle.SketchFile], sketch: s, width: len(m.Columns), tops: map[int]*top{}}
	names := map[string]int{}
	for i := range m.Columns {
		if _, ok := names[m.Columns[i].Name]; !ok {
			names[m.Columns[i].Name] = len(names)
		}
	}
	for i := range s.Columns {
		of := &s.Columns[i]
		col := column{at: of.Column, name: names[m.Columns[of.Column].Name], edges: of.Edges}
		if m.Columns[of.Column].Kind == bundle.Category {
			col.bins = make([]uint8, 1, 1+len(of.Bins))
			for _, bin := range of.Bins {
				col.bins = append(col.bins, uint8(bin)) //nolint:gosec // the sketch has fewer than 256
			}
		}
		c.columns = append(c.columns, col)
	}
	for i := range m.Outputs {
		o := &m.Outputs[i]
		if o.Kind == bundle.Number {
			for range o.Numbers() {
				c.outputs = append(c.outputs, output{at: c.numbers})
				c.numbers++
			}
			continue
		}
		for range o.Choices() {
			c.outputs = append(c.outputs, output{at: c.labels, label: true})
			c.labels++
		}
	}
	c.outputs = c.outputs[:len(s.Outputs)]
	for i := range c.outputs {
		c.outputs[i].edges = s.Outputs[i].Edges
	}
	return c
}

// Add counts a batch. What goes wrong here ends the counting, and nothing else.
func (c *Counter) Add(b *Batch) {
	c.mu.Lock()
	defer c.mu.Unlock()
	defer c.recover()
	if c.broken != nil {
		return
	}
	c.turn()
	rows := len(b.X) / c.width
	c.now.Records += rows
	c.now.Rejected += b.Rejected
	for i := range c.columns {
		col, to := &c.columns[i], &c.now.Columns[i]
		if x := b.X[min(col.at, len(b.X)):]; col.bins != nil {
			countWords(to.Counts, x, c.width, rows, col.bins)
		} else {
			countNumbers(to.Counts, x, c.width, rows, col.edges)
		}
		of := &b.Columns[col.name]
		to.Missing += of.Missing - of.Null
		to.Null += of.Null
		to.Unknown += of.Unknown
	}
	for i := range c.outputs {
		o, counts := &c.outputs[i], c.now.Outputs[i]
		if !o.label {
			countNumbers(counts, b.Numbers[min(o.at, len(b.Numbers)):], c.numbers, len(b.Numbers)/c.numbers, o.edges)
			continue
		}
		for at := o.at; at < len(b.Labels); at += c.labels {
			counts[b.Labels[at]]++
		}
	}
}

// See counts a word of a column of X that training did not have.
func (c *Counter) See(x int, word []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	defer c.recover()
	if c.broken != nil {
		return
	}
	c.turn()
	t := c.tops[x]
	if t == nil {
		t = newTop()
		c.tops[x] = t
	}
	t.see(word)
}

func countWords(counts []int, x []float64, width, rows int, bins []uint8) {
	for at := 0; rows > 0; at, rows = at+width, rows-1 {
		bin := 0
		if code := int(x[at]); uint(code) < uint(len(bins)) {
			bin = int(bins[code])
		}
		counts[bin]++
	}
}

// countNumbers looks for each number's bin without a branch, as which it will be
// is nothing that a processor could foresee.
func countNumbers(counts []int, x []float64, width, rows int, edges []float64) {
	if len(edges) < len(few{}) {
		countAmongFew(counts, x, width, rows, edges)
		return
	}
	for at := 0; rows > 0; at, rows = at+width, rows-1 {
		f, bin := x[at]+0, 0 // of -0.0 that is 0.0
		for _, e := range edges {
			bin += notBelow(f, e)
		}
		if f != f { // NaN
			bin = len(edges) + 1
		}
		counts[bin]++
	}
}

// few are edges among which a number is found in four steps. The converter makes
// fewer.
type few [16]float64

// countAmongFew is countNumbers of at most 15 edges, behind which there is nothing
// but infinity.
func countAmongFew(counts []int, x []float64, width, rows int, edges []float64) {
	var e few
	for i := copy(e[:], edges); i < len(e); i++ {
		e[i] = math.Inf(1)
	}
	for at := 0; rows > 0; at, rows = at+width, rows-1 {
		f := x[at] + 0
		bin := notBelow(f, e[7]) << 3
		bin += notBelow(f, e[(bin+3)&15]) << 2
		bin += notBelow(f, e[(bin+1)&15]) << 1
		bin += notBelow(f, e[bin&15])
		bin = min(bin, len(edges)) // of what is infinite itself
		if f != f {                // NaN
			bin = len(edges) + 1
		}
		counts[bin]++
	}
}

// notBelow returns 1 where f >= e, and 0 where f < e, by the sign of the difference.
func notBelow(f, e float64) int { return int(^math.Float64bits(f-e) >> 63) }

// turn begins the hour that it is. The clock is the one on the wall: the other may
// stand still while a function is frozen.
func (c *Counter) turn() {
	hour := time.Now().UTC().Truncate(time.Hour)
	if c.now != nil && c.now.Hour.Equal(hour) {
		return
	}
	c.end()
	c.now = newCounts(c.runID, c.sha256, c.sketch, hour)
}

// end ends the hour, if there was anything in it.
func (c *Counter) end() {
	if c.now != nil && c.now.Records+c.now.Rejected > 0 {
		c.tell(c.now)
		c.hours = append(c.hours[max(0, len(c.hours)-maxHours+1):], c.now)
	}
	for _, t := range c.tops {
		t.forget()
	}
	c.now = nil
}

// tell adds the words to counts.
func (c *Counter) tell(to *Counts) {
	for i := range c.columns {
		if t := c.tops[c.columns[i].at]; t != nil {
			to.Columns[i].Words = t.words()
		}
	}
}

// Now returns what was counted in the hour that is not over; nil where that is
// nothing.
func (c *Counter) Now() *Counts {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.now == nil {
		return nil
	}
	now := newCounts(c.runID, c.sha256, c.sketch, c.now.Hour)
	now.Add(c.now)
	c.tell(now)
	return now
}

// recover ends the counting where it panics.
func (c *Counter) recover() {
	if why := recover(); why != nil {
		c.broken, c.now, c.hours = fmt.Errorf("panic: %v", why), nil, nil
	}
}

// Take returns the hours that are over and were not taken before, and with all
// that which is not over as well. It returns an error once where counting has
// ended because something went wrong.
func (c *Counter) Take(all bool) ([]*Counts, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.broken != nil {
		err := c.broken
		if c.said {
			err = nil
		}
		c.said = true
		return nil, err
	}
	if c.now != nil && (all || !c.now.Hour.Equal(time.Now().UTC().Truncate(time.Hour))) {
		c.end()
	}
	hours := c.hours
	c.hours = nil
	return hours, nil
}
