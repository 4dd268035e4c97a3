// Package store reads bundles from S3, and writes files to it. It is the only
// package of the worker that knows S3.
//
//  1. location.go, region.go: where a folder in S3 is
//  2. store.go: its files, read and written
//  3. changed.go: those that change, such as the pointer of an alias, read when
//     they have changed, and written when nobody else has
//  4. dir.go: the same of a folder on disk
//  5. object.go: one object of any size
package store

import (
	"bytes"
	"context"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/skiff-ml/skiff/inference/bundle"
	"github.com/skiff-ml/skiff/inference/hint"
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
	data, _, err := f.ReadChanged(ctx, name, "")
	return data, err
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
	call, key := f.writing(name)
	err := f.inRegion(func(opts ...func(*s3.Options)) error {
		_, err := f.putter.PutObject(ctx, &s3.PutObjectInput{Bucket: &f.location.bucket, Key: &key, Body: bytes.NewReader(data)}, opts...)
		return err
	})
	if err == nil {
		return nil
	}
	return call.Explain(err)
}
