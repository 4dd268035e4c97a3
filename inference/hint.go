package inference

import "errors"

// hinted is an error that says what to do about it.
type hinted struct {
	error
	hint string
}

func (h hinted) Unwrap() error { return h.error }

// WithHint returns err with a hint: one line, in lower case, that says what
// to do about it. The text of err stays as it is.
func WithHint(err error, hint string) error { return hinted{err, hint} }

// Hint returns the outermost hint in err, or "" where there is none.
func Hint(err error) string {
	if h, ok := errors.AsType[hinted](err); ok {
		return h.hint
	}
	return ""
}
