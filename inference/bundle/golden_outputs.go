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
		if err := o.want(g.Outputs, out); err != nil {
			return fmt.Errorf("its output %s: %w", o.Name, err)
		}
	}
	if len(g.Outputs) != fields {
		return fmt.Errorf("it has %d outputs, and the manifest %d", len(g.Outputs), fields)
	}
	return nil
}

// want adds to out what an output's fields have.
func (o *Output) want(values map[string]jsontext.Value, out *Golden) (err error) {
	switch o.Kind {
	case Label:
		return o.wantLabel(o.raw(values), out)
	case Labels:
		return o.wantLabels(values, out)
	}
	out.Want, err = appendNumbers(out.Want, values[o.Name], o.Numbers())
	return err
}

// A rawLabel is the JSON of a label, its probabilities and its margin.
type rawLabel struct{ label, probabilities, margin jsontext.Value }

// raw returns the values of an output's fields.
func (o *Output) raw(values map[string]jsontext.Value) rawLabel {
	r := rawLabel{label: values[o.Name]}
	if o.Probabilities != nil {
		r.probabilities = values[*o.Probabilities]
	}
	if o.Margin != nil {
		r.margin = values[*o.Margin]
	}
	return r
}

// wantLabels adds what each of several labels has; of each the fields are in
// lists.
func (o *Output) wantLabels(values map[string]jsontext.Value, out *Golden) error {
	whole, each := o.raw(values), make([]rawLabel, len(o.Parts))
	for _, field := range []struct {
		raw jsontext.Value
		of  func(*rawLabel) *jsontext.Value
	}{
		{whole.label, func(r *rawLabel) *jsontext.Value { return &r.label }},
		{whole.probabilities, func(r *rawLabel) *jsontext.Value { return &r.probabilities }},
		{whole.margin, func(r *rawLabel) *jsontext.Value { return &r.margin }},
	} {
		if field.raw == nil {
			continue
		}
		var list []jsontext.Value
		if err := json.Unmarshal(field.raw, &list); err != nil {
			return err
		}
		if len(list) != len(each) {
			return fmt.Errorf("it has %d values, and the manifest %d", len(list), len(each))
		}
		for i, raw := range list {
			*field.of(&each[i]) = raw
		}
	}
	for i, choice := range o.Choices() {
		if err := choice.wantLabel(each[i], out); err != nil {
			return fmt.Errorf("label %d: %w", i+1, err)
		}
	}
	return nil
}

func (o *Output) wantLabel(raw rawLabel, out *Golden) error {
	var label Scalar
	if err := json.Unmarshal(raw.label, &label); err != nil {
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
		if err := json.Unmarshal(raw.probabilities, &of); err != nil {
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
	if out.Want, err = appendNumbers(out.Want, raw.margin, o.MarginWidth()); err != nil {
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
