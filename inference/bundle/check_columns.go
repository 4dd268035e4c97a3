package bundle

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/go-faster/city"

	"github.com/skiff-ml/skiff/inference/jsonscan"
)

func (c *Column) check() error {
	if err := c.checkFields(); err != nil {
		return err
	}
	if c.Kind == Constant {
		return nil
	}
	if (len(c.Path) == 0) == (len(c.Template) == 0) {
		return errors.New("it needs a path or a template")
	}
	if err := c.checkDefault(); err != nil {
		return err
	}
	switch c.Kind {
	case Category:
		return c.checkCategory()
	case Number:
		return c.checkNumber()
	case Entry:
		return c.checkEntry()
	}
	return c.checkWord()
}

// checkFields refuses what only columns of another kind have, and a constant
// and a word without their own.
func (c *Column) checkFields() error {
	own, ok := map[string][]string{
		Category: {"path", "template", "missing", "null", "other", "unknown", "text", "vocabulary", "default", "time", "limit", "hash"},
		Number:   {"path", "missing", "null", "text", "limit", "least", "default", "min", "max", "time"},
		OneWord:  {"path", "missing", "null", "word", "repeat", "without"},
		Entry:    {"path", "missing", "null", "limit", "least", "words"},
		Constant: {"value"},
	}[c.Kind]
	if !ok {
		return oneOf("kind", c.Kind, Category, Number, OneWord, Entry, Constant)
	}
	for _, field := range []struct {
		name  string
		there bool
	}{
		{"path", c.Path != nil},
		{"template", c.Template != nil},
		{"vocabulary", c.Vocabulary != nil},
		{"words", c.Words != nil},
		{"word", c.Word != nil},
		{"value", c.Value != nil},
		{"time", c.Time != nil},
		{"missing", c.Missing != ""},
		{"null", c.Null != ""},
		{"other", c.Other != ""},
		{"unknown", c.Unknown != ""},
		{"text", c.Text != ""},
		{"repeat", c.Repeat != ""},
		{"without", c.Without != ""},
		{"default", c.Default != nil},
		{"min", c.Min != nil},
		{"max", c.Max != nil},
		{"limit", c.Limit != nil},
		{"least", c.Least != nil},
		{"hash", c.Hash != nil},
	} {
		if field.there && !slices.Contains(own, field.name) {
			return fmt.Errorf("%s is no field of kind %s", field.name, c.Kind)
		}
	}
	if c.Kind == OneWord && c.Word == nil || c.Kind == Constant && c.Value == nil {
		return fmt.Errorf("it has no %s", map[string]string{OneWord: "word", Constant: "value"}[c.Kind])
	}
	return nil
}

// checkDefault makes sure that there is a default where a rule asks for it, and
// only there.
func (c *Column) checkDefault() error {
	switch asked := c.Missing == Default || c.Null == Default; {
	case asked != (c.Default != nil):
		return errors.New("a default is for missing or null, and they for it")
	case !asked:
		return nil
	}
	switch c.Kind {
	case Category:
		if code := *c.Default; code != math.Trunc(code) || code < 0 || code > float64(len(c.Vocabulary)) || code == 0 && c.Unknown == Refuse {
			return fmt.Errorf("its default %v is no code of it", code)
		}
	case Number:
		if c.Limit != nil && !(math.Abs(*c.Default) < *c.Limit) {
			return fmt.Errorf("its default %v is beyond its limit", *c.Default)
		}
	}
	return nil
}

func (c *Column) checkCategory() error {
	switch {
	case c.Limit != nil && (len(c.Template) > 0 || c.hasNumber()):
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
	if err := c.checkHash(); err != nil {
		return err
	}
	if len(c.Template) > 0 {
		return c.checkTemplate()
	}
	errs := []error{
		oneOf("missing", c.Missing, Refuse, None, Null, Default), oneOf("other", c.Other, Refuse, Unknown, None), c.checkReading(),
	}
	switch isWord := c.has(jsonscan.Null); {
	case !isWord:
		errs = append(errs, oneOf("null", c.Null, Refuse, Unknown, None, Default))
	case c.Null != "":
		errs = append(errs, oneOf("null, which is a word of it,", c.Null, Refuse, Default))
	}
	return errors.Join(errs...)
}

// checkHash makes sure that words which are compared by their hash are texts,
// each with another one.
func (c *Column) checkHash() error {
	if c.Hash == nil {
		return nil
	}
	if c.Text != "" || c.Time != nil {
		return errors.New("its words are hashes, which have no text and time")
	}
	known := make(map[uint32]bool, len(c.Vocabulary))
	for i := range c.Vocabulary {
		if c.Vocabulary[i].Kind != jsonscan.Text {
			return errors.New("its words are hashes, and one of them is no text")
		}
		known[Hash32([]byte(c.Vocabulary[i].Text))] = true
	}
	if len(known) < len(c.Vocabulary) {
		return errors.New("two of its words have the same hash")
	}
	return oneOf("hash", *c.Hash, City32)
}

// Hash32 returns the hash of a text that City32 means.
func Hash32(text []byte) uint32 { return uint32(city.CH64(text)) } //nolint:gosec // its lower half

// checkReading checks how a category reads text and times.
func (c *Column) checkReading() error {
	if c.Text != "" {
		if c.Text != InText {
			return oneOf("text", c.Text, InText)
		}
		if c.Time == nil && (c.has(jsonscan.Text) || !c.hasNumber()) {
			return errors.New("text is a number to it, and its words are none")
		}
	}
	if c.Time == nil {
		return nil
	}
	if c.has(jsonscan.Text) == c.hasNumber() {
		return errors.New("a part of a time is either text or a number, and its words are both or neither")
	}
	return c.checkTime()
}

// has reports whether a word is of the kind.
func (c *Column) has(kind jsonscan.Kind) bool {
	return slices.ContainsFunc(c.Vocabulary, func(w Scalar) bool { return w.Kind == kind })
}

// hasNumber reports whether a word is a number or a boolean.
func (c *Column) hasNumber() bool {
	return c.has(jsonscan.Integer) || c.has(jsonscan.Float) || c.has(jsonscan.Boolean)
}

func (c *Column) checkTime() error {
	err := oneOf("the part of its time", c.Time.Part, Parts()...)
	if c.Time.Epoch == "" {
		if c.Text == InText {
			err = errors.Join(err, errors.New("its time is text, and no number in text"))
		}
		return errors.Join(err, oneOf("the zone of its time", c.Time.Zone, AsWritten, UTC))
	}
	if c.Time.Zone != "" {
		err = errors.Join(err, errors.New("seconds since 1970 are UTC"))
	}
	return errors.Join(err, oneOf("the epoch of its time", c.Time.Epoch, Seconds, Milliseconds))
}

func (c *Column) checkTemplate() error {
	if c.Other != "" || c.Text != "" || c.Time != nil {
		return errors.New("every value in a template is text")
	}
	for i := range c.Vocabulary {
		if c.Vocabulary[i].Kind != jsonscan.Text {
			return fmt.Errorf("a template makes text, and its word %s is none", c.Vocabulary[i].JSON)
		}
	}
	err := oneOf("missing", c.Missing, Refuse, None, Default)
	if c.Null != "" {
		err = errors.Join(err, oneOf("null", c.Null, Refuse, None, Default))
	}
	return err
}

func (c *Column) checkNumber() error {
	switch {
	case c.Limit != nil && !(*c.Limit > 0):
		return fmt.Errorf("its limit is %v", *c.Limit)
	case c.Least != nil && c.Limit != nil && !(*c.Least < *c.Limit):
		return fmt.Errorf("its least is %v, and its limit %v", *c.Least, *c.Limit)
	case c.Min != nil && c.Max != nil && *c.Min > *c.Max:
		return fmt.Errorf("its min %v is above its max %v", *c.Min, *c.Max)
	case c.Time != nil && c.Text == Zero:
		return errors.New("text is 0 to it, and a time")
	}
	errs := []error{oneOf("missing", c.Missing, Refuse, Zero, NaN, Default), oneOf("null", c.Null, Refuse, Zero, NaN, Default), oneOf("text", c.Text, Refuse, Zero, InText)}
	if c.Time != nil {
		errs = append(errs, c.checkTime())
	}
	return errors.Join(errs...)
}

func (c *Column) checkEntry() error {
	for i := range c.Words {
		if len(c.Words[i].Path) == 0 {
			return errors.New("a word of it needs a path")
		}
	}
	switch {
	case c.Words == nil:
		return errors.New("an entry has words, if only none")
	case c.Missing == Refuse || c.Missing == Default:
		return errors.New("an entry may be missing")
	case c.Null == Zero || c.Null == Default:
		return errors.New("an entry's null is NaN or no value of it")
	}
	number := *c
	number.Text = Zero
	return number.checkNumber()
}

func (c *Column) checkWord() error {
	return errors.Join(
		oneOf("missing", c.Missing, Refuse, None), oneOf("null", c.Null, Refuse, None),
		oneOf("repeat", c.Repeat, Refuse, Count), oneOf("without", c.Without, Zero, NaN))
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
