// Package store reads bundles from S3. It is the only package of the worker
// that knows S3.
package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"skiff/inference/bundle"
	"skiff/inference/hint"
	"skiff/inference/internal/awserr"
)

// maxFile is the largest file read of a bundle, in bytes: well over any model
// that fits into the memory of a function.
const maxFile = 1 << 30

// getter is what a Folder needs of S3.
type getter interface {
	GetObject(ctx context.Context, in *s3.GetObjectInput, opts ...func(*s3.Options)) (*s3.GetObjectOutput, error)
}

// A Folder is a prefix in a bucket.
type Folder struct {
	client         getter
	bucket, prefix string
}

var _ bundle.Folder = (*Folder)(nil)

// New returns the folder at location, s3://bucket/prefix. An empty endpoint
// means AWS's own, or what the SDK's variables say; otherwise the bucket is
// addressed by path, as stand-ins want it.
func New(cfg aws.Config, location, endpoint string) (*Folder, error) {
	bucket, prefix, _ := strings.Cut(strings.TrimPrefix(location, "s3://"), "/")
	if !strings.HasPrefix(location, "s3://") || bucket == "" {
		return nil, hint.With(fmt.Errorf("%q is not of the form s3://bucket/prefix", location), "a bundle is in s3://{MODEL_BUCKET}/{MLFLOW_EXPERIMENT_ID}/{RUN_ID}/artifacts/onnx")
	}
	client := s3.NewFromConfig(cfg, func(o *s3.Options) {
		if endpoint != "" {
			o.BaseEndpoint = &endpoint
		}
		o.UsePathStyle = o.BaseEndpoint != nil
	})
	return &Folder{client, bucket, strings.Trim(prefix, "/")}, nil
}

// ReadFile implements [bundle.Folder].
func (f *Folder) ReadFile(ctx context.Context, name string) ([]byte, error) {
	key := strings.TrimPrefix(f.prefix+"/"+name, "/")
	out, err := f.client.GetObject(ctx, &s3.GetObjectInput{Bucket: &f.bucket, Key: &key})
	if err != nil {
		return nil, f.explain(key, err)
	}
	defer out.Body.Close()
	data, err := io.ReadAll(io.LimitReader(out.Body, maxFile+1))
	if err != nil {
		return nil, f.explain(key, err)
	}
	if len(data) > maxFile {
		return nil, fmt.Errorf("reading s3://%s/%s: it is larger than %d bytes", f.bucket, key, maxFile)
	}
	return data, nil
}

// explain says what was read, and what to do about the error.
func (f *Folder) explain(key string, err error) error {
	if _, ok := errors.AsType[*types.NoSuchKey](err); ok {
		return fmt.Errorf("reading s3://%s/%s: %w", f.bucket, key, os.ErrNotExist)
	}
	text := "the bundle may be as it should be: start again, and see whether S3 can be reached from here"
	switch awserr.Code(err) {
	case "AccessDenied":
		text = "the role needs s3:GetObject on it; to who may not list the bucket, S3 says the same of what is not there"
	case "NoSuchBucket":
		text = "check MODEL_BUCKET or MODEL_LOCATION"
	case "PermanentRedirect", "AuthorizationHeaderMalformed":
		text = "the bucket is in another region: set AWS_REGION to that"
	case "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken":
		text = "the AWS credentials are wrong or have expired"
	}
	return hint.With(fmt.Errorf("reading s3://%s/%s: %w", f.bucket, key, awserr.Shorten(err)), text)
}
