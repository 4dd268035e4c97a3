package bundle

// MinFormat and Format are the formats this package reads: all from the first
// to the one that the converter writes today. A format of its own file,
// format1.go and so on, says how an old one becomes a [Manifest].
const (
	MinFormat = 1
	Format    = 2
)

// The kinds of columns.
const (
	Category = "category"
	Number   = "number"
)

// What a column makes of a value that is not of its kind. SPEC.md has the table.
const (
	Refuse  = "reject"
	Zero    = "zero"
	NaN     = "nan"
	None    = "none"
	Unknown = "unknown"
)

// A Manifest says how records become rows and predictions become output. The
// converter writes it; the worker has no other knowledge of a model.
type Manifest struct {
	Header
	Outputs []Output `json:"outputs"`
	Columns []Column `json:"columns"`

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

// An Output is one of the predicted values: Width float64 of a row of the
// model's y, which has the outputs side by side.
type Output struct {
	Name  string `json:"name"`
	Kind  string `json:"kind"`  // "number"
	Width int    `json:"width"` // 1 is a JSON number, more are a list of as many
	Unit  string `json:"unit,omitempty"`
}

// Width returns how many float64 a row of the model's y has.
func (m *Manifest) Width() int {
	width := 0
	for i := range m.Outputs {
		width += m.Outputs[i].Width
	}
	return width
}

// A Column is one column of the model's input X.
type Column struct {
	Name       string   `json:"name"`
	Kind       string   `json:"kind"`               // Category or Number
	Path       []string `json:"path,omitempty"`     // the value's place in the record
	Template   []Part   `json:"template,omitempty"` // or the text to build
	Missing    string   `json:"missing"`            // an absent value: Refuse, or None for a category, Zero for a number
	Other      string   `json:"other,omitempty"`    // a category's null, number or boolean: Unknown or None
	Null       string   `json:"null,omitempty"`     // a number's null: Refuse or NaN
	Text       string   `json:"text,omitempty"`     // a number's text: Refuse or Zero
	Limit      *float64 `json:"limit,omitempty"`    // a number of this magnitude or more is not finite to the model; absent: float64's own
	Vocabulary []string `json:"vocabulary,omitempty"`
}

// A Part is a piece of a template: a value of the record, or text.
type Part struct {
	Path []string `json:"path,omitempty"`
	Text string   `json:"text,omitempty"`
}

// Parity is what the converter measured against the original pipeline.
type Parity struct {
	Bound     string `json:"bound"` // "bits", or a bound in ulp
	Goldens   int    `json:"goldens"`
	Generated int    `json:"generated"`
}
