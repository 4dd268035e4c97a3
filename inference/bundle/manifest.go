package bundle

import "slices"

// MinFormat and Format are the formats this package reads: all from the first
// to the one that the converter writes today. A format of its own file,
// format1.go, format2.go, says how an old one becomes a [Manifest].
const (
	MinFormat = 1
	Format    = 3
)

// The kinds of columns and outputs: of columns all but the last two, of outputs
// the last three.
const (
	Constant = "constant"
	OneWord  = "word"
	Entry    = "entry"
	Category = "category"
	Number   = "number"
	Label    = "label"
	Labels   = "labels"
)

// The links: what becomes of the scores. Those with a 32 are XGBoost's, in
// float32. SPEC.md has the formulas.
const (
	Identity  = "identity"
	Exp       = "exp"
	Expm1     = "expm1"
	Exp32     = "exp32"
	Expit     = "expit"
	Expit32   = "expit32"
	Softmax   = "softmax"
	Softmax32 = "softmax32"

	SoftmaxInOrder = "softmax_in_order"
	SoftmaxFast    = "softmax_fast" // CatBoost's, by its own exp
	ExpFast        = "exp_fast"     // likewise

	Expits    = "expits" // of each score, without the other's
	Expits32  = "expits32"
	Both      = "both" // of one probability, and what is left of 1
	OVR       = "ovr"
	Normalize = "normalize"
	Coupled   = "coupled" // libsvm's, of a score for each pair of labels
)

// What decides on a label.
const (
	Scores        = "scores"
	Probabilities = "probabilities"
	Values        = "values"
)

// Last is which of equally large ones decides, where that is not the first.
const Last = "last"

// What a column makes of a value that is not of its kind. SPEC.md has the table.
const (
	Refuse  = "reject"
	Zero    = "zero"
	NaN     = "nan"
	None    = "none"
	Unknown = "unknown"
	Null    = "null"
	Accept  = "accept"
	Default = "default"
)

// How a column reads text, and what a word's column makes of one that is twice
// in a list.
const (
	InText = "number" // text is a number
	Count  = "count"
)

// City32 is how a category's words may be compared: by the lower half of
// CityHash64, version 1.0, of their text in UTF-8.
const City32 = "city32"

// A Manifest says how records become rows and predictions become output. The
// converter writes it; the worker has no other knowledge of a model.
type Manifest struct {
	Header
	Outputs []Output `json:"outputs"`
	Columns []Column `json:"columns"`
	Empty   string   `json:"empty,omitempty"` // a record that has no column's value: Refuse; absent: each column's rules say

	Fingerprint string `json:"-"` // sha256 of the columns, hexadecimal; the model has it as well
}

// A Header is what manifests of every format have.
type Header struct {
	Format    int               `json:"format"`
	RunID     string            `json:"run_id"`
	Created   string            `json:"created"` // when the model was logged, RFC 3339
	Model     string            `json:"model"`
	Estimator string            `json:"estimator"`
	Libraries map[string]string `json:"libraries"` // versions the original was fitted with
	Converter map[string]string `json:"converter"` // versions that made this bundle
	ID        *IDField          `json:"id,omitempty"`
	Lowering  string            `json:"lowering"`
	Parity    Parity            `json:"parity"`
	Files     map[string]string `json:"files"` // sha256 of the other files, hexadecimal
}

// An IDField says where a record's id is, and what it is called in the output.
type IDField struct {
	Name string   `json:"name"`
	Path []string `json:"path"`
}

// An Output is one of the predicted values. A row of the model's y has the
// outputs side by side: of each its scores, the values that decide, its margin.
type Output struct {
	Name  string `json:"name"`
	Kind  string `json:"kind"`            // Number, Label or Labels
	Width int    `json:"width,omitempty"` // how many float64 its scores are; not of Labels
	Link  string `json:"link,omitempty"`  // likewise
	Unit  string `json:"unit,omitempty"`  // of a number

	// Of a label.
	Labels        []Scalar `json:"labels,omitempty"`
	Decide        string   `json:"decide,omitempty"`        // Scores or Probabilities
	Cut           *float64 `json:"cut,omitempty"`           // the second label is above it, where one score decides; absent: 0
	Probabilities *string  `json:"probabilities,omitempty"` // what the output calls them; absent: it hasn't them
	Margin        *string  `json:"margin,omitempty"`        // what it calls the margin, which is the scores; likewise
	Ties          string   `json:"ties,omitempty"`          // Last; absent: of equally large ones the first decides
	Values        *int     `json:"values,omitempty"`        // so many values decide, where Decide is Values
	Margins       *int     `json:"margins,omitempty"`       // so many are the margin, where that is not the scores

	// Of labels: each a label, but for its name, its kind, and what the output
	// calls probabilities and margins.
	Parts []Output `json:"parts,omitempty"`
}

// Numbers returns how many numbers an output of them has: of its scores as
// many, or of one score the probabilities of two classes.
func (o *Output) Numbers() int {
	switch {
	case o.binary():
		return 2
	case o.Link == Coupled:
		return classes(o.Width)
	}
	return o.Width
}

// classes returns how many labels have so many pairs, 0 where none have.
func classes(pairs int) int {
	for k := 2; k*(k-1)/2 <= pairs; k++ {
		if k*(k-1)/2 == pairs {
			return k
		}
	}
	return 0
}

// binary reports whether the link makes two probabilities of one score.
func (o *Output) binary() bool { return o.Link == Expit || o.Link == Expit32 || o.Link == Both }

// Choices returns the labels of an output, each with what it is decided by:
// itself, or its parts.
func (o *Output) Choices() []Output {
	if o.Kind == Label {
		return []Output{*o}
	}
	choices := slices.Clone(o.Parts)
	for i := range choices {
		choices[i].Kind, choices[i].Probabilities, choices[i].Margin = Label, o.Probabilities, o.Margin
	}
	return choices
}

// Columns returns how many float64 of a row of the model's y are the output's.
// Of more than any graph has it returns fewer, so that no sum overflows.
func (o *Output) Columns() int {
	const most = 1 << 24
	columns := min(o.Width, most) + min(or0(o.Values), most) + min(or0(o.Margins), most)
	for i := range o.Parts {
		columns += o.Parts[i].Columns()
	}
	return columns
}

// MarginWidth returns how many float64 a label's margin is.
func (o *Output) MarginWidth() int {
	if o.Margins != nil {
		return *o.Margins
	}
	return o.Width
}

func or0(n *int) int {
	if n == nil {
		return 0
	}
	return *n
}

// Width returns how many float64 a row of the model's y has.
func (m *Manifest) Width() int {
	width := 0
	for i := range m.Outputs {
		width += m.Outputs[i].Columns()
	}
	return width
}

// A Column is one column of the model's input X.
type Column struct {
	Name       string   `json:"name"`
	Kind       string   `json:"kind"`               // Category, Number, OneWord, Entry or Constant
	Path       []string `json:"path,omitempty"`     // the value's place in the record
	Template   []Part   `json:"template,omitempty"` // or the text to build
	Missing    string   `json:"missing"`            // an absent value: Refuse or Default; None or Null of a category; Zero or NaN of a number
	Null       string   `json:"null,omitempty"`     // null: Refuse or Default; Unknown or None of a category without that word; Zero or NaN of a number
	Other      string   `json:"other,omitempty"`    // a category's value of a type that its words haven't: Refuse, Unknown or None
	Unknown    string   `json:"unknown,omitempty"`  // a category's value of a type that they have: Refuse or Accept
	Text       string   `json:"text,omitempty"`     // text: Refuse or Zero of a number; InText
	Limit      *float64 `json:"limit,omitempty"`    // a number of this magnitude or more is not finite to the model; absent: float64's own
	Least      *float64 `json:"least,omitempty"`    // a number below this is not finite to the model; absent: minus the limit
	Vocabulary []Scalar `json:"vocabulary,omitempty"`
	Words      []Part   `json:"words,omitzero"` // of an entry: where text or a list of texts makes it 1

	Hash    *string  `json:"hash,omitempty"`    // of a category: its words stand for all texts and integers of their hash, City32
	Default *float64 `json:"default,omitempty"` // what the column gets where Missing or Null says so: a number, or a code
	Min     *float64 `json:"min,omitempty"`     // a number below is this one
	Max     *float64 `json:"max,omitempty"`     // a number above is this one
	Time    *Time    `json:"time,omitempty"`    // the value is a time, and the number a part of it
	Word    *string  `json:"word,omitempty"`    // of a word: the text
	Repeat  string   `json:"repeat,omitempty"`  // of a word: in a list more than once: Refuse or Count
	Without string   `json:"without,omitempty"` // of a word: what the column gets where the word is not there: Zero or NaN
	Value   *float64 `json:"value,omitempty"`   // of a constant: what the column gets
}

// A Time is which part of a time a column has, and how the time is read.
type Time struct {
	Part  string `json:"part"`
	Epoch string `json:"epoch,omitempty"` // numbers are Seconds or Milliseconds since 1970, UTC; absent: text in ISO 8601
	Zone  string `json:"zone,omitempty"`  // of text: AsWritten or UTC
}

// How times are read.
const (
	Seconds      = "s"
	Milliseconds = "ms"
	AsWritten    = "written"
	UTC          = "utc"
)

// Parts are those of a time that a column may have, called as pandas calls them.
func Parts() []string {
	return []string{"year", "quarter", "month", "week", "day", "day_of_year", "weekday", "hour", "minute", "second"}
}

// A Part is a piece of a template: a value of the record, or text. A word of an
// entry has both: the text that is to be there.
type Part struct {
	Path []string `json:"path,omitempty"`
	Text string   `json:"text,omitempty"`
}

// Parity is what the converter measured against the original pipeline.
type Parity struct {
	Bound     string `json:"bound"` // "bits", or a bound in ulp, or measured of a step
	Goldens   int    `json:"goldens"`
	Generated int    `json:"generated"`
}
