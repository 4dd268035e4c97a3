package inference

// A Reason says why a record can never succeed. The codes are part of the
// worker's interface: logs and goldens carry them.
type Reason string

// The reasons.
const (
	NotBase64    Reason = "not_base64"    // the event's kinesis.data is absent or not base64
	NotJSON      Reason = "not_json"      // bad UTF-8 or syntax, NaN and Infinity literals, nesting over 1,000 deep
	MissingField Reason = "missing_field" // a field that the model's columns or the id need
	WrongType    Reason = "wrong_type"    // text where a number was learned, a list, an object
	NotFinite    Reason = "not_finite"    // a number, or a prediction, that is infinite, NaN or beyond what the model can read
	TooLarge     Reason = "too_large"     // the prediction, which carries the record's id, is over the output stream's record limit
)

// A Rejection is a record that can never succeed: retrying it is no use.
// The zero Rejection rejects nothing.
type Rejection struct {
	Reason Reason
	Field  string // dotted path into the record, such as ride.DOLocationID; empty for the record itself
}

// rejected reports whether there is a reason.
func (r Rejection) rejected() bool { return r.Reason != "" }
