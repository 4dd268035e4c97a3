// Package store reads bundles from S3, and writes files to it. It is the only
// package of the worker that knows S3.
package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"skiff/inference/bundle"
	"skiff/inference/hint"
	"skiff/inference/internal/awserr"
)

// getter is what a Folder needs of S3 to read, and putter to write.
type getter interface {
	GetObject(ctx context.Context, in *s3.GetObjectInput, opts ...func(*s3.Options)) (*s3.GetObjectOutput, error)
}

type putter interface {
	PutObject(ctx context.Context, in *s3.PutObjectInput, opts ...func(*s3.Options)) (*s3.PutObjectOutput, error)
}

// A Folder is a prefix in a bucket. Calls may be concurrent.
type Folder struct {
	getter   getter
	putter   putter
	location Location
	variable string                 // that names it
	most     func(name string) int  // bytes of a file
	region   atomic.Pointer[string] // the bucket's, once S3 has said that it is another one
}

var _ bundle.Folder = (*Folder)(nil)

// New returns the folder at location, which the variable names. An empty
// endpoint means AWS's own, or what the SDK's variables say; otherwise the
// bucket is addressed by path, as stand-ins want it. Nothing is sent yet.
func New(cfg aws.Config, location Location, endpoint, variable string) *Folder {
	client := s3.NewFromConfig(cfg, func(o *s3.Options) {
		if endpoint != "" {
			o.BaseEndpoint = &endpoint
		}
		o.UsePathStyle = o.BaseEndpoint != nil
	})
	return &Folder{getter: client, putter: client, location: location, variable: variable, most: bundle.MaxBytes}
}

// ReadFile implements [bundle.Folder].
func (f *Folder) ReadFile(ctx context.Context, name string) ([]byte, error) {
	key := f.location.key(name)
	call := awserr.Call{
		Doing: fmt.Sprintf("reading s3://%s/%s", f.location.bucket, key), Key: "kms:Decrypt", Variable: f.variable,
		Action: "s3:GetObject (and s3:ListBucket, without which S3 says the same of what is not there)",
	}
	var out *s3.GetObjectOutput
	err := f.inRegion(func(opts ...func(*s3.Options)) (err error) {
		out, err = f.getter.GetObject(ctx, &s3.GetObjectInput{Bucket: &f.location.bucket, Key: &key}, opts...)
		return err
	})
	if _, ok := errors.AsType[*types.NoSuchKey](err); ok {
		return nil, fmt.Errorf("%s: %w", call.Doing, os.ErrNotExist)
	}
	if err != nil {
		return nil, orAgain(call.Explain(err))
	}
	defer out.Body.Close()
	data, err := bundle.ReadAtMost(out.Body, int(min(aws.ToInt64(out.ContentLength), math.MaxInt32)), name, f.most(name))
	if errors.Is(err, bundle.ErrInvalid) {
		return nil, fmt.Errorf("%s: %w", call.Doing, err)
	}
	if err != nil {
		return nil, orAgain(call.Explain(err))
	}
	return data, nil
}

// orAgain adds advice to an error of reading that has none.
func orAgain(err error) error {
	if hint.Of(err) != "" {
		return err
	}
	return hint.With(err, "the bundle may be as it should be: start again, and see whether S3 can be reached from here")
}

// WriteFile writes a file, or writes it anew.
func (f *Folder) WriteFile(ctx context.Context, name string, data []byte) error {
	key := f.location.key(name)
	err := f.inRegion(func(opts ...func(*s3.Options)) error {
		_, err := f.putter.PutObject(ctx, &s3.PutObjectInput{Bucket: &f.location.bucket, Key: &key, Body: bytes.NewReader(data)}, opts...)
		return err
	})
	if err == nil {
		return nil
	}
	call := awserr.Call{
		Doing: fmt.Sprintf("writing s3://%s/%s", f.location.bucket, key), Key: "kms:GenerateDataKey", Variable: f.variable,
		Action: "s3:PutObject",
	}
	return call.Explain(err)
}
