package awserr_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/skiff-ml/skiff/inference"
	"github.com/skiff-ml/skiff/inference/hint"
	"github.com/skiff-ml/skiff/inference/internal/awserr"
)

var call = awserr.Call{Doing: "doing it", Action: "s:Do", Key: "kms:K", Variable: "WHERE"}

func TestExplain(t *testing.T) {
	const denied, key = "the role needs s:Do on what WHERE names", "the role needs kms:K on the KMS key"
	for _, test := range []struct {
		codes     string // separated by spaces
		message   string
		permanent bool
		hint      string // part of it
	}{
		{"ExpiredToken ExpiredTokenException RequestExpired TokenRefreshRequired", "", true, "credentials have expired"},
		{"RequestTimeTooSkewed", "", true, "clock is wrong"},
		{"InvalidSignatureException SignatureDoesNotMatch", "Signature expired: 1 is now earlier than 2", true, "clock is wrong"},
		{"InvalidSignatureException SignatureDoesNotMatch", "Signature not yet current: 2 is still later than 1", true, "clock is wrong"},
		{
			"InvalidSignatureException SignatureDoesNotMatch IncompleteSignature IncompleteSignatureException",
			"The request signature we calculated does not match", true, "AWS_SECRET_ACCESS_KEY",
		},
		{
			"InvalidClientTokenId UnrecognizedClientException InvalidAccessKeyId InvalidToken AuthFailure MissingAuthenticationToken " +
				"MissingAuthenticationTokenException InvalidSecurity", "", true, "AWS_ACCESS_KEY_ID",
		},
		{"OptInRequired NotSignedUp", "", true, "not signed up for this service"},
		{"AccessDenied AccessDeniedException", "Access Denied", true, denied},
		{"AccessDenied AccessDeniedException", "not authorized to perform: kms:Decrypt on resource", true, key},
		{"KMSAccessDeniedException KmsAccessDenied KMS.AccessDeniedException", "", true, key},
		{"KMSDisabledException KmsDisabled KMS.DisabledException", "", true, "is disabled"},
		{"KMSInvalidStateException KmsInvalidState KMS.KMSInvalidStateException KMS.InvalidStateException", "", true, "not usable now"},
		{"KMSNotFoundException KmsNotFound KMS.NotFoundException", "", true, "is not there"},
		{"KMSOptInRequired KmsOptInRequired KMS.OptInRequired", "", true, "not signed up for KMS"},
		{"KmsInvalidKeyUsage KMS.InvalidKeyUsageException", "", true, "symmetric"},
		{"KMSThrottlingException KmsThrottled KMS.ThrottlingException", "", false, "higher quota"},
		{"ResourceNotFoundException NoSuchBucket QueueDoesNotExist AWS.SimpleQueueService.NonExistentQueue", "", true, "there is none: check WHERE"},
		{"PermanentRedirect AuthorizationHeaderMalformed IllegalLocationConstraintException", "", true, "in another region"},
		{
			"BatchRequestTooLong AWS.SimpleQueueService.BatchRequestTooLong InvalidParameterValue InvalidMessageContents EntityTooLarge",
			"", true, "MaximumMessageSize",
		},
		{
			"InvalidArgumentException InvalidArgument ValidationException SerializationException InvalidBucketName InvalidAddress InvalidRequest " +
				"UnknownOperationException UnsupportedOperation AWS.SimpleQueueService.UnsupportedOperation InvalidAction MethodNotAllowed NotImplemented",
			"", true, "does not take such a request: check WHERE",
		},
		{"ProvisionedThroughputExceededException ServiceUnavailable InternalFailure SlowDown Throttling RequestThrottled New", "", false, ""},
	} {
		for code := range strings.FieldsSeq(test.codes) {
			answer := &smithy.OperationError{ServiceID: "S", OperationName: "Do", Err: &smithy.GenericAPIError{Code: code, Message: test.message}}
			err := call.Explain(answer)
			want := strings.TrimSuffix("doing it: "+code+": "+test.message, ": ")
			if test.permanent {
				want += " (trying again is no use)"
			}
			if err.Error() != want || !errors.Is(err, answer) || errors.Is(err, inference.ErrPermanent) != test.permanent {
				t.Errorf("%s: got %v", code, err)
			}
			if got := hint.Of(err); !strings.Contains(got, test.hint) || (got == "") != (test.hint == "") || strings.ContainsAny(got, "{}\n") {
				t.Errorf("%s, %q: hint %q, want %q", code, test.message, got, test.hint)
			}
		}
	}
}

// What goes wrong while getting credentials is not about the stream.
func TestExplainTheCredentialsOwnCall(t *testing.T) {
	sts := &smithy.OperationError{ServiceID: "STS", OperationName: "AssumeRoleWithWebIdentity", Err: &smithy.GenericAPIError{Code: "AccessDenied"}}
	err := call.Explain(&smithy.OperationError{ServiceID: "Kinesis", OperationName: "PutRecords", Err: fmt.Errorf("get identity: %w", sts)})
	if !errors.Is(err, inference.ErrPermanent) || !strings.Contains(hint.Of(err), "getting credentials") {
		t.Errorf("got %v, hint %q", err, hint.Of(err))
	}
}

// What the SDK refuses to ask for is permanent; what was asked for, or was to
// be, and had no answer that can be read, is not.
func TestExplainWhatHasNoCode(t *testing.T) {
	for _, test := range []struct {
		err       error
		permanent bool
	}{
		{&smithy.InvalidParamsError{}, true},
		{&smithy.SerializationError{Err: errors.New("e")}, true},
		{&aws.MissingRegionError{}, true},
		{&v4.SigningError{Err: errors.New("e")}, true},
		{fmt.Errorf("get credentials: %w", &credentials.StaticCredentialsEmptyError{}), true},
		{errors.New("endpoint rule error, invalid ARN"), true},
		{&smithyhttp.RequestSendError{Err: errors.New("connection refused")}, false},
		{&smithyhttp.ResponseError{Err: errors.New("e")}, false},
		{&smithy.DeserializationError{Err: errors.New("e")}, false},
		{&smithy.CanceledError{Err: context.Canceled}, false},
		{&aws.RequestCanceledError{Err: errors.New("e")}, false},
		{context.DeadlineExceeded, false},
	} {
		err := call.Explain(&smithy.OperationError{ServiceID: "S", OperationName: "Do", Err: test.err})
		if errors.Is(err, inference.ErrPermanent) != test.permanent || (hint.Of(err) != "") != test.permanent {
			t.Errorf("%T: got %v, hint %q", test.err, err, hint.Of(err))
		}
	}
	if err := call.Explain(errors.New("EOF")); errors.Is(err, inference.ErrPermanent) {
		t.Errorf("got %v", err)
	}
}

func TestRefused(t *testing.T) {
	for _, test := range []struct {
		codes     []string
		permanent bool
		hint      string
	}{
		{[]string{"InternalFailure"}, false, ""},
		{[]string{"KMSThrottlingException"}, false, ""},
		{[]string{"KMSDisabledException"}, true, "is disabled"},
		{[]string{"KMSDisabledException", "AccessDenied"}, true, "is disabled"},
		{[]string{"KMSDisabledException", "InternalFailure"}, false, ""},
	} {
		err := call.Refused(2, 3, test.codes)
		if errors.Is(err, inference.ErrPermanent) != test.permanent || !strings.HasPrefix(err.Error(), "doing it: 2 of 3 were not taken: "+strings.Join(test.codes, ", ")) {
			t.Errorf("got %v", err)
		}
		if got := hint.Of(err); !strings.Contains(got, test.hint) || (got == "") != (test.hint == "") {
			t.Errorf("%v: hint %q", test.codes, got)
		}
	}
}
