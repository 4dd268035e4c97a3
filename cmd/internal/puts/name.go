package puts

import "github.com/aws/aws-sdk-go-v2/aws/arn"

// Name returns what a request names a stream by, its name or its ARN: the other
// is nil.
func Name(stream string) (name, resource *string) {
	if arn.IsARN(stream) {
		return nil, &stream
	}
	return &stream, nil
}
