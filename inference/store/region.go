package store

import (
	"errors"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/skiff-ml/skiff/inference/internal/awserr"
)

// inRegion makes a call, and again in the bucket's region when S3 says that it
// is another one. That is kept for later calls.
func (f *Folder) inRegion(call func(opts ...func(*s3.Options)) error) error {
	var opts []func(*s3.Options)
	known := f.region.Load()
	if known != nil {
		opts = append(opts, in(*known))
	}
	err := call(opts...)
	region := elsewhere(err)
	if region == "" || known != nil && *known == region {
		return err
	}
	f.region.Store(&region)
	return call(in(region))
}

func in(region string) func(*s3.Options) {
	return func(o *s3.Options) { o.Region = region }
}

// elsewhere returns the region that a bucket is in, from the answer of one
// that it is not in.
func elsewhere(err error) string {
	code := awserr.Code(err)
	if code != "PermanentRedirect" && code != "AuthorizationHeaderMalformed" {
		return ""
	}
	answer, ok := errors.AsType[*smithyhttp.ResponseError](err)
	if !ok || answer.Response == nil {
		return ""
	}
	return answer.Response.Header.Get("X-Amz-Bucket-Region")
}
