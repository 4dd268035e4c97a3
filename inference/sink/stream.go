package sink

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/arn"

	"github.com/skiff-ml/skiff/inference/hint"
)

// A Stream says which stream: one of the caller's account and region by its
// name, or any by its ARN.
type Stream struct {
	name        string
	arn, region string // of an ARN
}

var (
	streamName = regexp.MustCompile(`^[a-zA-Z0-9_.-]{1,128}$`)
	account    = regexp.MustCompile(`^[0-9]{12}$`)
	region     = regexp.MustCompile(`^[a-z]+(-[a-z0-9]+)+$`)
)

// ParseStream reads the name or ARN of a stream.
func ParseStream(s string) (Stream, error) {
	if streamName.MatchString(s) {
		return Stream{name: s}, nil
	}
	a, err := arn.Parse(s)
	name, ok := strings.CutPrefix(a.Resource, "stream/")
	if err == nil && ok && a.Service == "kinesis" && streamName.MatchString(name) && account.MatchString(a.AccountID) && region.MatchString(a.Region) {
		return Stream{name: name, arn: s, region: a.Region}, nil
	}
	return Stream{}, hint.With(fmt.Errorf("%q is not the name or the ARN of a stream", s),
		"a name has up to 128 letters, digits, dots, hyphens and underscores; an ARN is arn:aws:kinesis:REGION:ACCOUNT:stream/NAME")
}

// String returns the name, or the ARN.
func (s Stream) String() string {
	if s.arn != "" {
		return s.arn
	}
	return s.name
}
