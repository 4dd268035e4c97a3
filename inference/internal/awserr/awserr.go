// Package awserr says what an AWS service answered, in few words.
package awserr

import (
	"errors"
	"strings"

	"github.com/aws/smithy-go"
)

// maxText is how much of an error is told, in bytes: of a longer one, its ends.
const maxText = 300

// Code returns the code of a service's error, such as AccessDeniedException,
// or "" for another error.
func Code(err error) string {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return api.ErrorCode()
	}
	return ""
}

// Shorten returns err with a text that is fit for a log: of a service's error
// the code and the message, of all of it one line of some 300 bytes. What
// services say of a wrong signature goes on with the request's headers, and
// the session's token in them; a proxy may answer with a page.
func Shorten(err error) error {
	text := err.Error()
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		text = strings.TrimSuffix(api.ErrorCode()+": "+api.ErrorMessage(), ": ")
	}
	text, _, _ = strings.Cut(strings.TrimSpace(text), "\n")
	if len(text) > maxText { // the cause is at the end
		text = strings.ToValidUTF8(text[:maxText/2], "") + " … " + strings.ToValidUTF8(text[len(text)-maxText/2:], "")
	}
	return short{err, text}
}

type short struct {
	error
	text string
}

func (s short) Error() string { return s.text }
func (s short) Unwrap() error { return s.error }
