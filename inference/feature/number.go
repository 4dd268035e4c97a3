package feature

import (
	"fmt"
	"math"

	"github.com/skiff-ml/skiff/inference"
	"github.com/skiff-ml/skiff/inference/bundle"
	"github.com/skiff-ml/skiff/inference/jsonscan"
)

// A number is a column of numbers.
type number struct {
	place         *place
	missing, null standin
	reading       reading
	low, high     float64 // what is beyond is they
	least, limit  float64 // least <= x < limit
}

func compileNumber(c *bundle.Column, paths *jsonscan.Builder) *number {
	return &number{
		place: locate(paths, c.Path), missing: standinOf(c, c.Missing), null: standinOf(c, c.Null), reading: readingOf(c),
		low: orElse(c.Min, math.Inf(-1)), high: orElse(c.Max, math.Inf(1)), least: leastOf(c), limit: limitOf(c),
	}
}

// encode implements column: the number as the model gets it.
func (n *number) encode(doc []byte, s *Scratch) (float64, bool, *inference.Rejection) {
	v, ok := n.place.find(s.found)
	if !ok {
		if n.missing.there && n.place.missing(s.found) {
			return n.missing.x, false, nil
		}
		return 0, false, n.place.reject(s.found, n.reading.expected)
	}
	x, is := n.reading.number(doc, v, s)
	switch {
	case is == isNull && n.null.there:
		return n.null.x, false, nil
	case is != isNumber:
		return 0, false, n.reading.reject(n.place, is, v)
	case x < n.low:
		x = n.low
	case x > n.high:
		x = n.high
	}
	if x >= n.limit {
		return 0, false, notFinite(n.place.field(), n.limit)
	}
	if x < n.least {
		return 0, false, belowLeast(n.place.field(), n.least)
	}
	return x, false, nil
}

func belowLeast(field string, least float64) *inference.Rejection {
	return &inference.Rejection{
		Reason: inference.NotFinite, Field: field, Expected: fmt.Sprintf("a number from %.3g on", least), Found: "a smaller one",
	}
}

func notFinite(field string, limit float64) *inference.Rejection {
	if math.IsInf(limit, 1) {
		limit = math.MaxFloat64
	}
	return &inference.Rejection{
		Reason: inference.NotFinite, Field: field, Expected: fmt.Sprintf("a number of less than %.3g", limit), Found: "a larger one",
	}
}

func orElse(x *float64, otherwise float64) float64 {
	if x == nil {
		return otherwise
	}
	return *x
}

// leastOf returns the least number that is finite to the model.
func leastOf(c *bundle.Column) float64 {
	if c.Least != nil {
		return *c.Least
	}
	return math.Nextafter(-limitOf(c), 0)
}

// limitOf returns the number from which on one is not finite to the model.
func limitOf(c *bundle.Column) float64 { return orElse(c.Limit, math.Inf(1)) }
