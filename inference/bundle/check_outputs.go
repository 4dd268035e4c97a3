package bundle

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/skiff-ml/skiff/inference/jsonscan"
)

// checkOutputs makes sure that every field of the output has a name of its own,
// and that each output makes sense.
func checkOutputs(outputs []Output, id *IDField) error {
	if len(outputs) == 0 {
		return errors.New("it names no prediction")
	}
	var names []string
	if id != nil {
		if id.Name == "" || len(id.Path) == 0 {
			return errors.New("the id has no name or no path")
		}
		names = append(names, id.Name)
	}
	for i := range outputs {
		o := &outputs[i]
		for _, name := range o.fields() {
			if name == "" {
				return errors.New("it names no prediction")
			}
			if slices.Contains(names, name) {
				return fmt.Errorf("two fields of the output have the name %q", name)
			}
			names = append(names, name)
		}
		if err := o.check(); err != nil {
			return fmt.Errorf("the output %s: %w", o.Name, err)
		}
	}
	return nil
}

// fields returns the names of an output's fields.
func (o *Output) fields() []string {
	names := []string{o.Name}
	for _, name := range []*string{o.Probabilities, o.Margin} {
		if name != nil {
			names = append(names, *name)
		}
	}
	return names
}

func (o *Output) check() error {
	switch o.Kind {
	case Number:
		if !o.plain() || o.Probabilities != nil || o.Margin != nil || o.Parts != nil {
			return errors.New("a number has no labels, and nothing that is for them")
		}
		if o.Width < 1 {
			return fmt.Errorf("it has a width of %d", o.Width)
		}
		if o.binary() && o.Width != 1 || o.Link == Coupled && o.Numbers() == 0 {
			return fmt.Errorf("the link %s is not of %d scores", o.Link, o.Width)
		}
		return oneOf("its link", o.Link, append(probabilityLinks(), Exp, Expm1, Exp32, ExpFast)...)
	case Label:
		if o.Parts != nil {
			return errors.New("a label has no parts")
		}
		return o.checkLabel()
	case Labels:
		return o.checkParts()
	}
	return oneOf("its kind", o.Kind, Number, Label, Labels)
}

// probabilityLinks returns the links that make probabilities of classes.
func probabilityLinks() []string {
	return []string{
		Identity, Expit, Expit32, Expits, Expits32, Both, Softmax, SoftmaxInOrder, SoftmaxFast, Softmax32, OVR, Normalize, Coupled,
	}
}

// plain reports whether there is nothing of one label.
func (o *Output) plain() bool {
	return o.Labels == nil && o.Decide == "" && o.Cut == nil && o.Ties == "" && o.Values == nil && o.Margins == nil
}

func (o *Output) checkParts() error {
	if !o.plain() || o.Width != 0 || o.Link != "" || o.Unit != "" {
		return errors.New("labels have what is for each in their parts")
	}
	if len(o.Parts) == 0 {
		return errors.New("it has no parts")
	}
	for i := range o.Parts {
		part := &o.Parts[i]
		if part.Name != "" || part.Kind != "" || part.Probabilities != nil || part.Margin != nil || part.Parts != nil {
			return fmt.Errorf("its label %d has what is for all of them", i+1)
		}
	}
	for i, choice := range o.Choices() {
		if err := choice.checkLabel(); err != nil {
			return fmt.Errorf("its label %d: %w", i+1, err)
		}
	}
	return nil
}

func (o *Output) checkLabel() error {
	if o.Unit != "" {
		return errors.New("a label has no unit")
	}
	if o.Width < 1 {
		return fmt.Errorf("it has a width of %d", o.Width)
	}
	if err := checkLabels(o.Labels); err != nil {
		return err
	}
	err := errors.Join(
		oneOf("its link", o.Link, probabilityLinks()...),
		oneOf("decide", o.Decide, Scores, Probabilities, Values))
	if err != nil {
		return err
	}
	binary := o.binary()
	bare := o.Link == Identity && o.Decide == Scores && o.Probabilities == nil // a score without probabilities
	switch {
	case o.Link == Coupled && len(o.Labels)*(len(o.Labels)-1)/2 == o.Width && o.Decide != Scores:
	case o.Width == len(o.Labels) && !binary && o.Link != Coupled:
	case o.Width == 1 && len(o.Labels) == 2 && (binary || bare):
	default:
		return fmt.Errorf("it has %d labels, and a width of %d does not go with that and the link %s", len(o.Labels), o.Width, o.Link)
	}
	return o.checkDecision()
}

// checkDecision makes sure that what decides is there, as much of it as the
// labels need, and nothing that is for something else.
func (o *Output) checkDecision() error {
	deciding := o.Width
	switch {
	case (o.Decide == Values) != (o.Values != nil):
		return errors.New("values are there where they decide")
	case o.Values != nil:
		deciding = *o.Values
		if deciding != len(o.Labels) && (deciding != 1 || len(o.Labels) != 2) {
			return fmt.Errorf("it has %d labels, and %d values that decide", len(o.Labels), deciding)
		}
	case o.Decide == Probabilities:
		deciding = len(o.Labels)
	}
	switch {
	case o.Cut != nil && (deciding > 1 || o.Decide == Probabilities):
		return errors.New("a cut is for one score or value that decides")
	case o.Ties != "" && o.Ties != Last:
		return oneOf("ties", o.Ties, Last)
	case o.Ties != "" && deciding == 1:
		return errors.New("ties are of several that decide")
	case o.Margins != nil && (*o.Margins < 1 || o.Margin == nil):
		return errors.New("margins are for a margin, and at least one")
	}
	return nil
}

// checkLabels makes sure that no two labels are taken for one.
func checkLabels(labels []Scalar) error {
	if len(labels) < 2 {
		return fmt.Errorf("it has %d labels", len(labels))
	}
	seen := make(map[string]bool, len(labels))
	for i := range labels {
		l := &labels[i]
		switch {
		case l.Kind == jsonscan.Null:
			return errors.New("null is no label")
		case seen[l.Text]:
			return fmt.Errorf("two of its labels have the text %q", l.Text)
		case !l.finite():
			return fmt.Errorf("its label %.20s is beyond float64", l.JSON)
		}
		seen[l.Text] = true
	}
	return nil
}

// finite reports whether s is no number that is beyond float64.
func (s *Scalar) finite() bool {
	if s.Kind != jsonscan.Integer && s.Kind != jsonscan.Float {
		return true
	}
	f, _ := s.Number()
	return !math.IsInf(f, 0)
}
