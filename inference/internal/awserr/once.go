package awserr

import (
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Once is a retryer for clients whose caller tries again: it leaves everything
// to that but a request that was refused because this machine's clock is
// wrong. The SDK then knows by how much, from the answer's Date, and the
// request is made once more with the right time.
type Once struct{ aws.NopRetryer }

// IsErrorRetryable reports whether the SDK takes err for a wrong clock's: of
// errors with a code it marks no others.
func (Once) IsErrorRetryable(err error) bool {
	var clock interface{ RetryableError() bool }
	return Code(err) != "" && errors.As(err, &clock) && clock.RetryableError()
}

// MaxAttempts is two.
func (Once) MaxAttempts() int { return 2 }

// RetryDelay is none: the time is known.
func (Once) RetryDelay(int, error) (time.Duration, error) { return 0, nil }
