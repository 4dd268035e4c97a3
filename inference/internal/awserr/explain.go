package awserr

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/skiff-ml/skiff/inference"
	"github.com/skiff-ml/skiff/inference/hint"
)

// A Call is what a service was asked for, and by whom.
type Call struct {
	Doing    string // such as "putting records to predictions"
	Action   string // the permission it needs, such as kinesis:PutRecords
	Key      string // the permission it needs on a key that encrypts, such as kms:Decrypt
	Variable string // says where, such as PREDICTIONS_STREAM_NAME
}

// Explain returns err with what was tried, in short, and what to do about it.
// It wraps [inference.ErrPermanent] where only a person can mend it.
func (c Call) Explain(err error) error {
	r := classify(err)
	explained := fmt.Errorf("%s: %w", c.Doing, Shorten(err))
	if r.permanent {
		explained = fmt.Errorf("%w (%w)", explained, inference.ErrPermanent)
	}
	return c.advise(explained, r.hint)
}

// Refused returns the error for entries of a request that were not taken, each
// code once: a permanent one when trying again would mend none of them.
func (c Call) Refused(failed, of int, codes []string) error {
	err := fmt.Errorf("%s: %d of %d were not taken: %s", c.Doing, failed, of, strings.Join(codes, ", "))
	advice := ""
	for _, code := range codes {
		r, ok := find(code, "")
		if !ok || !r.permanent {
			return err
		}
		if advice == "" {
			advice = r.hint
		}
	}
	return c.advise(fmt.Errorf("%w (%w)", err, inference.ErrPermanent), advice)
}

func (c Call) advise(err error, advice string) error {
	if advice == "" {
		return err
	}
	return hint.With(err, strings.NewReplacer("{action}", c.Action, "{key}", c.Key, "{variable}", c.Variable).Replace(advice))
}

// classify returns what an error means: by its code, or what the SDK says of
// one that no service answered.
func classify(err error) row {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		r, _ := find(api.ErrorCode(), api.ErrorMessage())
		if r.permanent && nested(err) {
			r.hint = noKeys
		}
		return r
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return row{permanent: permanent, hint: untrusted}
	}
	if unsent(err) {
		return row{permanent: permanent, hint: unmade}
	}
	return row{}
}

// nested reports whether the operation failed in another: the one that gets
// its credentials.
func nested(err error) bool {
	op, ok := errors.AsType[*smithy.OperationError](err)
	if !ok {
		return false
	}
	_, ok = errors.AsType[*smithy.OperationError](op.Err)
	return ok
}

// unsent reports whether the SDK itself refused an operation, before there was
// a request: its parameters, its endpoint, its region or credentials that are
// none.
func unsent(err error) bool {
	op, ok := errors.AsType[*smithy.OperationError](err)
	if !ok || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	err = op.Err
	return !is[*smithyhttp.RequestSendError](err) && !is[*smithyhttp.ResponseError](err) &&
		!is[*smithy.DeserializationError](err) && !is[*smithy.CanceledError](err) && !is[*aws.RequestCanceledError](err)
}

func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}
