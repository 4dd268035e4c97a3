package feature

import (
	"fmt"
	"math"
	"strconv"

	"skiff/inference"
	"skiff/inference/bundle"
	"skiff/inference/jsonscan"
)

const aNumber = "a number"

// A number is a column of numbers.
type number struct {
	place                               *place
	missing                             float64 // what an absent key is
	mayBeMissing, nullIsNaN, textIsZero bool
	least, limit                        float64 // least <= x < limit
}

func compileNumber(c *bundle.Column, paths *jsonscan.Builder) *number {
	n := &number{
		place: locate(paths, c.Path), least: leastOf(c), limit: limitOf(c),
		mayBeMissing: c.Missing != bundle.Refuse, nullIsNaN: c.Null == bundle.NaN, textIsZero: c.Text == bundle.Zero,
	}
	if c.Missing == bundle.NaN {
		n.missing = math.NaN()
	}
	return n
}

// encode implements column: the number as the model gets it.
func (n *number) encode(doc []byte, s *Scratch) (float64, bool, *inference.Rejection) {
	v, ok := n.place.find(s.found)
	if !ok {
		if n.mayBeMissing && n.place.missing(s.found) {
			return n.missing, false, nil
		}
		return 0, false, n.place.reject(s.found, aNumber)
	}
	switch v.Kind {
	case jsonscan.Integer, jsonscan.Float:
		f, err := strconv.ParseFloat(string(v.Raw(doc)), 64)
		if f == 0 && v.Kind == jsonscan.Integer {
			f = 0 // Python's int has no -0
		}
		if err != nil || f >= n.limit {
			return 0, false, notFinite(n.place.field(), n.limit)
		}
		if f < n.least {
			return 0, false, belowLeast(n.place.field(), n.least)
		}
		return f, false, nil
	case jsonscan.Boolean:
		if doc[v.Start] == 't' {
			return 1, false, nil
		}
		return 0, false, nil
	case jsonscan.Null:
		if n.nullIsNaN {
			return math.NaN(), false, nil
		}
	case jsonscan.Text:
		if n.textIsZero {
			return 0, false, nil
		}
	}
	return 0, false, wrongType(n.place.field(), aNumber, v.Kind)
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
