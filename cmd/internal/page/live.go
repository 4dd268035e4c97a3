package page

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// A live is all that is known now.
type live struct {
	Title      string      `json:"title"`
	Payloads   bool        `json:"payloads"`
	Links      []Link      `json:"links"`
	Now        time.Time   `json:"now"`
	Started    time.Time   `json:"started"`
	Models     []Model     `json:"models"` // the one that serves first
	Behind     bool        `json:"behind"` // the alias stands for another
	Totals     totals      `json:"totals"`
	Minute     minute      `json:"minute"`
	Unknown    []count     `json:"unknown"`
	Missing    []count     `json:"missing"`
	Letters    []count     `json:"dead_letters"`
	ModelAge   *float64    `json:"model_age_s"`     // null: not known
	Age        *float64    `json:"iterator_age_ms"` // likewise
	Canary     int         `json:"canary"`          // predictions of the last invocation
	Predicted  []Predicted `json:"predicted"`
	Rejections []Rejected  `json:"rejections"`
	Failures   []Failure   `json:"failures"`
}

// A count is a number under a name.
type count struct {
	Name string `json:"name"`
	N    int    `json:"n"`
}

// document returns what is known now as JSON.
func (p *Page) document(now time.Time) ([]byte, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := live{
		Title: p.title, Payloads: p.payloads, Links: p.links, Now: now, Started: p.started, Models: p.models, Totals: p.totals,
		Minute: p.window.minute(now), Unknown: sorted(p.unknown), Missing: sorted(p.missing), Letters: sorted(p.letters),
		Predicted: p.predicted, Rejections: p.rejections, Failures: p.failures,
	}
	if m := p.last; m != nil {
		l.Behind, l.Canary = m.Behind, m.Canary
		if m.ModelAge >= 0 {
			age := m.ModelAge.Seconds()
			l.ModelAge = &age
		}
		if m.IteratorAge >= 0 {
			age := ms(m.IteratorAge)
			l.Age = &age
		}
	}
	return json.Marshal(l)
}

// sorted returns counts, the largest first.
func sorted(names map[string]int) []count {
	all := make([]count, 0, len(names))
	for name, n := range names {
		all = append(all, count{name, n})
	}
	slices.SortFunc(all, func(a, b count) int { return cmp.Or(cmp.Compare(b.N, a.N), strings.Compare(a.Name, b.Name)) })
	return all
}
