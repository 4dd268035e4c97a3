package awserr_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/smithy-go"

	"github.com/skiff-ml/skiff/inference/internal/awserr"
)

func TestShorten(t *testing.T) {
	signature := &smithy.GenericAPIError{Code: "InvalidSignatureException", Message: "The signature does not match.\n\nThe string:\nx-amz-security-token:secret"}
	for _, test := range []struct {
		err        error
		text, code string
	}{
		{signature, "InvalidSignatureException: The signature does not match.", "InvalidSignatureException"},
		{&smithy.OperationError{ServiceID: "Kinesis", OperationName: "PutRecords", Err: signature}, "InvalidSignatureException: The signature does not match.", "InvalidSignatureException"},
		{errors.New("connection reset"), "connection reset", ""},
		{errors.New("Get " + strings.Repeat("é", 300) + ": refused"), "Get " + strings.Repeat("é", 73) + " … " + strings.Repeat("é", 70) + ": refused", ""},
		{errors.New("a" + strings.Repeat("é", 300)), "a" + strings.Repeat("é", 74) + " … " + strings.Repeat("é", 75), ""},
	} {
		short := awserr.Shorten(test.err)
		if short.Error() != test.text || awserr.Code(short) != test.code || !errors.Is(short, test.err) {
			t.Errorf("%v: got %q, code %q", test.err, short, awserr.Code(short))
		}
	}
	if got := fmt.Sprintf("%+v", awserr.Shorten(signature)); strings.Contains(got, "secret") {
		t.Errorf("got %s", got)
	}
}
