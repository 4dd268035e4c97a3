package bundle

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/skiff-ml/skiff/inference"
)

// A Golden is a record with what the original pipeline made of it: the numbers
// and the labels of the outputs' fields, side by side. Of a label those are its
// own, then its probabilities and its margin, where it has them.
type Golden struct {
	Record string
	Want   []float64
	Labels []int   // indexes into the outputs' labels
	Within float64 // absolute bound of the numbers; 0 asks for equal bits
	Reject inference.Reason
	Field  string
}

// golden is a line of the golden file. Format 1 has a prediction, later ones
// outputs.
type golden struct {
	Record     *string                   `json:"record"`
	Prediction *float64                  `json:"prediction,omitempty"`
	Outputs    map[string]jsontext.Value `json:"outputs,omitempty"`
	Within     *float64                  `json:"within,omitempty"`
	Reject     inference.Reason          `json:"reject,omitempty"`
	Field      string                    `json:"field,omitempty"`
}

// parseGoldens reads the lines of a golden file. Without a prediction among
// them they prove nothing.
func parseGoldens(raw []byte, m *Manifest) ([]Golden, error) {
	var goldens []Golden
	predictions := 0
	lines := bufio.NewScanner(bytes.NewReader(raw))
	lines.Buffer(nil, len(raw)+1)
	for lines.Scan() {
		g, err := parseGolden(lines.Bytes(), m)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", len(goldens)+1, err)
		}
		if g.Reject == "" {
			predictions++
		}
		goldens = append(goldens, g)
	}
	switch {
	case len(goldens) == 0:
		return nil, errors.New("it has no records")
	case predictions == 0:
		return nil, errors.New("it has no predictions")
	}
	return goldens, nil
}

func parseGolden(line []byte, m *Manifest) (Golden, error) {
	var g golden
	if err := unmarshal(line, &g); err != nil {
		return Golden{}, err
	}
	predicted := g.Outputs != nil
	if m.Format == 1 {
		if predicted {
			return Golden{}, errors.New("outputs are of format 2")
		}
		predicted = g.Prediction != nil
	} else if g.Prediction != nil {
		return Golden{}, errors.New("a prediction is of format 1")
	}
	out := Golden{Reject: g.Reject, Field: g.Field}
	switch {
	case g.Record == nil:
		return Golden{}, errors.New("it has no record")
	case predicted == (g.Reject != ""):
		return Golden{}, errors.New("it needs either a prediction or a reason to reject")
	case !predicted && g.Within != nil || predicted && g.Field != "":
		return Golden{}, errors.New("a bound is for a prediction, a field for a reason to reject")
	case !predicted && !slices.Contains(inference.Reasons(), g.Reject):
		return Golden{}, fmt.Errorf("there is no reason %q", g.Reject)
	case (g.Reject == inference.UnknownCategory || g.Reject == inference.Unreadable) && m.Format < 3:
		return Golden{}, fmt.Errorf("the reason %s is of format 3", g.Reject)
	case g.Within != nil && !(*g.Within > 0 && *g.Within <= math.MaxFloat64):
		return Golden{}, fmt.Errorf("its bound is %v", *g.Within)
	case g.Within != nil:
		out.Within = *g.Within
	}
	out.Record = *g.Record
	switch {
	case !predicted:
		return out, nil
	case m.Format == 1:
		out.Want = []float64{*g.Prediction}
		return out, nil
	}
	err := g.want(m.Outputs, &out)
	return out, err
}
