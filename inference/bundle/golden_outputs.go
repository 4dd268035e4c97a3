package bundle

import (
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// want adds to out what the outputs' fields have.
func (g *golden) want(outputs []Output, out *Golden) error {
	fields := 0
	for i := range outputs {
		o := &outputs[i]
		for _, name := range o.fields() {
			if g.Outputs[name] == nil {
				return fmt.Errorf("it has no output %s", name)
			}
			fields++
		}
		var err error
		if o.Kind == Label {
			err = o.wantLabel(g.Outputs, out)
		} else {
			out.Want, err = appendNumbers(out.Want, g.Outputs[o.Name], o.Width)
		}
		if err != nil {
			return fmt.Errorf("its output %s: %w", o.Name, err)
		}
	}
	if len(g.Outputs) != fields {
		return fmt.Errorf("it has %d outputs, and the manifest %d", len(g.Outputs), fields)
	}
	return nil
}

func (o *Output) wantLabel(values map[string]jsontext.Value, out *Golden) error {
	var label Scalar
	if err := json.Unmarshal(values[o.Name], &label); err != nil {
		return err
	}
	index := -1
	for i := range o.Labels {
		if o.Labels[i].sameLabel(&label) {
			index = i
		}
	}
	if index < 0 {
		return fmt.Errorf("there is no label %s", label.JSON)
	}
	out.Labels = append(out.Labels, index)
	if o.Probabilities != nil {
		var of map[string]float64
		if err := json.Unmarshal(values[*o.Probabilities], &of); err != nil {
			return fmt.Errorf("%s: %w", *o.Probabilities, err)
		}
		for i := range o.Labels {
			p, ok := of[o.Labels[i].Text]
			if !ok || len(of) != len(o.Labels) {
				return fmt.Errorf("%s has not the labels", *o.Probabilities)
			}
			out.Want = append(out.Want, p)
		}
	}
	if o.Margin == nil {
		return nil
	}
	var err error
	if out.Want, err = appendNumbers(out.Want, values[*o.Margin], o.Width); err != nil {
		return fmt.Errorf("%s: %w", *o.Margin, err)
	}
	return nil
}

// appendNumbers appends so many: a number, or a list of them.
func appendNumbers(dst []float64, raw jsontext.Value, width int) ([]float64, error) {
	values := make([]float64, 1)
	var err error
	if width == 1 {
		err = json.Unmarshal(raw, &values[0])
	} else {
		err = json.Unmarshal(raw, &values)
	}
	if err == nil && len(values) != width {
		err = fmt.Errorf("it has %d values, and the manifest %d", len(values), width)
	}
	return append(dst, values...), err
}
