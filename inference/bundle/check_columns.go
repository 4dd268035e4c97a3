package bundle

import (
	"errors"
	"fmt"
	"slices"

	"skiff/inference/jsonscan"
)

func (c *Column) check() error {
	if c.Kind != Entry && c.Words != nil {
		return errors.New("words are an entry's")
	}
	if (len(c.Path) == 0) == (len(c.Template) == 0) {
		return errors.New("it needs a path or a template")
	}
	switch c.Kind {
	case Category:
		return c.checkCategory()
	case Number:
		return c.checkNumber()
	case Entry:
		return c.checkEntry()
	}
	return oneOf("kind", c.Kind, Category, Number, Entry)
}

func (c *Column) checkCategory() error {
	switch {
	case c.Text != "" || c.Least != nil:
		return errors.New("text and least are rules for numbers")
	case c.Limit != nil && (len(c.Template) > 0 || slices.ContainsFunc(c.Vocabulary, isNumber)):
		return errors.New("a category has a limit where it is by path, and none of its words is a number")
	case c.Limit != nil && !(*c.Limit > 0):
		return fmt.Errorf("its limit is %v", *c.Limit)
	}
	for _, p := range c.Template {
		if (len(p.Path) == 0) == (p.Text == "") {
			return errors.New("a part of its template needs a path or a text")
		}
	}
	if err := checkWords(c.Vocabulary); err != nil {
		return err
	}
	if err := oneOf("unknown", c.Unknown, Refuse, Accept); err != nil {
		return err
	}
	if len(c.Template) > 0 {
		return c.checkTemplate()
	}
	errs := []error{oneOf("missing", c.Missing, Refuse, None, Null), oneOf("other", c.Other, Refuse, Unknown, None)}
	switch isWord := slices.ContainsFunc(c.Vocabulary, func(w Scalar) bool { return w.Kind == jsonscan.Null }); {
	case !isWord:
		errs = append(errs, oneOf("null", c.Null, Refuse, Unknown, None))
	case c.Null != "":
		errs = append(errs, errors.New("null is a word of it, and has a rule as well"))
	}
	return errors.Join(errs...)
}

func isNumber(w Scalar) bool { return w.Kind != jsonscan.Text && w.Kind != jsonscan.Null }

func (c *Column) checkTemplate() error {
	if c.Missing != Refuse || c.Null != "" || c.Other != "" {
		return errors.New("a template has no text where a part of it is missing, and every other value is text")
	}
	for i := range c.Vocabulary {
		if c.Vocabulary[i].Kind != jsonscan.Text {
			return fmt.Errorf("a template makes text, and its word %s is none", c.Vocabulary[i].JSON)
		}
	}
	return nil
}

func (c *Column) checkNumber() error {
	switch {
	case len(c.Template) > 0:
		return errors.New("a number has a path, not a template")
	case c.Vocabulary != nil || c.Other != "" || c.Unknown != "":
		return errors.New("a number has no words")
	case c.Limit != nil && !(*c.Limit > 0):
		return fmt.Errorf("its limit is %v", *c.Limit)
	case c.Least != nil && c.Limit != nil && !(*c.Least < *c.Limit):
		return fmt.Errorf("its least is %v, and its limit %v", *c.Least, *c.Limit)
	}
	return errors.Join(
		oneOf("missing", c.Missing, Refuse, Zero, NaN), oneOf("null", c.Null, Refuse, NaN), oneOf("text", c.Text, Refuse, Zero))
}

func (c *Column) checkEntry() error {
	for i := range c.Words {
		if len(c.Words[i].Path) == 0 {
			return errors.New("a word of it needs a path")
		}
	}
	if c.Words == nil {
		return errors.New("an entry has words, if only none")
	}
	if c.Text != "" || c.Missing == Refuse {
		return errors.New("an entry may be missing, and text is no fault of it")
	}
	number := *c
	number.Text = Zero
	return number.checkNumber()
}

// checkWords makes sure that a word has one code.
func checkWords(words []Scalar) error {
	if len(words) == 0 {
		return errors.New("it has no words")
	}
	seen := newSet(len(words))
	for i := range words {
		w := &words[i]
		if !seen.add(w) {
			return fmt.Errorf("its word %q is repeated", w.Text)
		}
		if !w.finite() {
			return fmt.Errorf("its word %.20s is beyond float64", w.JSON)
		}
	}
	return nil
}
