package page

import (
	"sync"
	"time"

	"github.com/skiff-ml/skiff/inference/observe"
)

// MaxItems is how many records a page shows, and how many rejections and
// failures: the last.
const MaxItems = 6

// What a page remembers beside them, at most.
const (
	maxModels = 8   // that served
	maxNames  = 50  // columns or reasons; what the others have is under other
	maxText   = 300 // bytes of an error
)

const other = "other"

// A Model is one that serves, or served.
type Model struct {
	RunID     string    `json:"run_id"`
	Estimator string    `json:"estimator,omitempty"`
	Alias     string    `json:"alias,omitempty"` // it was found by, with its @
	Since     time.Time `json:"since"`
}

// A Predicted is a record and what was predicted for it.
type Predicted struct {
	At         time.Time `json:"at"`
	RunID      string    `json:"run_id"`
	Record     []Field   `json:"record"` // nil: it is packed, or too large
	Prediction []Field   `json:"prediction"`
}

// A Rejected is why a record was rejected.
type Rejected struct {
	At           time.Time `json:"at"`
	Reason       string    `json:"reason"`
	Field        string    `json:"field,omitempty"`
	Detail       string    `json:"detail,omitempty"`
	Expected     string    `json:"expected,omitempty"`
	Found        string    `json:"found,omitempty"`
	ID           string    `json:"id,omitempty"`
	Key          string    `json:"key,omitempty"`
	DeadLettered bool      `json:"dead_lettered"`
}

// A Failure is what went wrong at a time.
type Failure struct {
	At   time.Time `json:"at"`
	Text string    `json:"text"`
}

// A Page is what is known of a worker. Its methods may be called at the same
// time; those of a nil page do nothing.
type Page struct {
	title    string
	payloads bool // records are shown, not only counted
	links    []Link

	mu         sync.Mutex
	started    time.Time
	models     []Model // the last first, likewise below
	totals     totals
	last       *observe.Measurement // nil: none yet
	unknown    map[string]int
	missing    map[string]int
	letters    map[string]int
	window     window
	predicted  []Predicted
	rejections []Rejected
	failures   []Failure
}

// totals are the sums since the start.
type totals struct {
	Invocations int `json:"invocations"`
	Failed      int `json:"failed"`
	Records     int `json:"records"`
	Predictions int `json:"predictions"`
	Rejected    int `json:"rejected"`
	DeadLetters int `json:"dead_letters"`
	Unsent      int `json:"unsent"`
	Retries     int `json:"retries"`
}

// A Link is another page of the same server.
type Link struct {
	Name string `json:"name"`
	Path string `json:"path"`
}

var _ observe.Recorder = (*Page)(nil)

// New returns a page of a worker that starts now. With payloads it shows
// records; without, it has only counts.
func New(title string, payloads bool, links ...Link) *Page {
	return &Page{
		title: title, payloads: payloads, links: links, started: time.Now(),
		unknown: map[string]int{}, missing: map[string]int{}, letters: map[string]int{},
	}
}

// Serves says which model serves from now on.
func (p *Page) Serves(m Model) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.models) > 0 && p.models[0].RunID == m.RunID {
		m.Since = p.models[0].Since // it started again, and is the same
		p.models[0] = m
		return
	}
	p.models = push(p.models, m, maxModels)
}

// Record implements [observe.Recorder].
func (p *Page) Record(m *observe.Measurement, now time.Time) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	t := &p.totals
	t.Invocations++
	if m.Failed {
		t.Failed++
	}
	t.Records += m.Records
	t.Predictions += m.Predictions
	t.Rejected += m.Rejected
	t.Unsent += m.Unsent
	t.Retries += m.Retries
	t.DeadLetters += addAll(p.letters, m.DeadLetters)
	addAll(p.unknown, m.Unknown)
	addAll(p.missing, m.Missing)
	p.last = m
	p.window.add(m, now)
}

// addAll adds counts to those by name, and returns their sum.
func addAll(names map[string]int, counts []observe.Count) int {
	sum := 0
	for _, c := range counts {
		name := c.Name
		if _, ok := names[name]; !ok && len(names) >= maxNames {
			name = other
		}
		names[name] += c.N
		sum += c.N
	}
	return sum
}

// Predicts shows what was predicted for a record.
func (p *Page) Predicts(r Predicted) {
	if p == nil || !p.payloads {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.predicted = push(p.predicted, r, MaxItems)
}

// Rejects shows why a record was rejected.
func (p *Page) Rejects(r Rejected) {
	if p == nil || !p.payloads {
		return
	}
	r.Detail, r.Found = cut(r.Detail), cut(r.Found)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rejections = push(p.rejections, r, MaxItems)
}

// Fails shows what went wrong. An invocation that failed is counted where its
// measurement does not say so.
func (p *Page) Fails(f Failure, invocation bool) {
	if p == nil {
		return
	}
	f.Text = cut(f.Text)
	p.mu.Lock()
	defer p.mu.Unlock()
	if invocation {
		p.totals.Failed++
		p.window.fail(f.At)
	}
	p.failures = push(p.failures, f, MaxItems)
}

// push puts an element before all others, of which the oldest go where there
// are too many.
func push[T any](all []T, first T, most int) []T {
	all = append([]T{first}, all...)
	return all[:min(len(all), most)]
}

func cut(text string) string {
	if len(text) > maxText {
		return text[:maxText] + "…"
	}
	return text
}
