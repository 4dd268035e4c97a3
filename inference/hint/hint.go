// Package hint is for errors that say what to do about them.
package hint

import "errors"

// hinted is an error with a hint.
type hinted struct {
	error
	hint string
}

func (h hinted) Unwrap() error { return h.error }

// With returns err with a hint: one line, in lower case, that says what to do
// about it. The text of err stays as it is.
func With(err error, hint string) error { return hinted{err, hint} }

// Of returns the outermost hint in err, or "" where there is none.
func Of(err error) string {
	if h, ok := errors.AsType[hinted](err); ok {
		return h.hint
	}
	return ""
}
