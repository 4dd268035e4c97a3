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

	"skiff/inference"
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

var _ inference.Folder = (*Folder)(nil)

// New returns the folder at location, s3://bucket/prefix. An empty endpoint
// means AWS's own, or what the SDK's variables say; otherwise the bucket is
// addressed by path, as stand-ins want it.
func New(cfg aws.Config, location, endpoint string) (*Folder, error) {
	bucket, prefix, _ := strings.Cut(strings.TrimPrefix(location, "s3://"), "/")
	if !strings.HasPrefix(location, "s3://") || bucket == "" {
		return nil, fmt.Errorf("%q is not of the form s3://bucket/prefix", location)
	}
	client := s3.NewFromConfig(cfg, func(o *s3.Options) {
		if endpoint != "" {
			o.BaseEndpoint = &endpoint
		}
		o.UsePathStyle = o.BaseEndpoint != nil
	})
	return &Folder{client, bucket, strings.Trim(prefix, "/")}, nil
}

// ReadFile implements [inference.Folder].
func (f *Folder) ReadFile(ctx context.Context, name string) ([]byte, error) {
	key := strings.TrimPrefix(f.prefix+"/"+name, "/")
	out, err := f.client.GetObject(ctx, &s3.GetObjectInput{Bucket: &f.bucket, Key: &key})
	if err != nil {
		if _, ok := errors.AsType[*types.NoSuchKey](err); ok {
			return nil, fmt.Errorf("reading s3://%s/%s: %w", f.bucket, key, os.ErrNotExist)
		}
		return nil, fmt.Errorf("reading s3://%s/%s: %w", f.bucket, key, err)
	}
	defer out.Body.Close()
	data, err := io.ReadAll(io.LimitReader(out.Body, maxFile))
	if err != nil {
		return nil, fmt.Errorf("reading s3://%s/%s: %w", f.bucket, key, err)
	}
	return data, nil
}
