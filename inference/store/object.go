package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/skiff-ml/skiff/inference/hint"
)

const (
	maxPutBytes = 5 << 30 // PutObject API: an object written at once
	reopenings  = 5       // of a body that breaks off, until one brings something
	firstWait   = 200 * time.Millisecond
)

// An Object is one of S3's, of any size: read from anywhere on, and written at
// once or not at all. Calls may be concurrent.
type Object struct {
	bucket *Folder
	key    string
	put    int64 // bytes that are written at once, at most
}

// About is what S3 knows of an object.
type About struct {
	Bytes    int64
	Tag      string            // the ETag: another one when the contents are others
	Metadata map[string]string // of whoever wrote it; its keys are lower case
}

// NewObject returns the object at place, s3://bucket/key, which the variable
// names. The endpoint is as [New] takes it. Nothing is sent yet.
func NewObject(cfg aws.Config, place, endpoint, variable string) (*Object, error) {
	rest, ok := strings.CutPrefix(place, "s3://")
	bucket, key, _ := strings.Cut(rest, "/")
	if !ok || bucket == "" || key == "" || strings.HasSuffix(key, "/") {
		return nil, hint.With(fmt.Errorf("%q is not of the form s3://bucket/key", place), "name a file in a bucket, such as s3://rides/2019/01.jsonl.gz")
	}
	if err := CheckBucket(bucket); err != nil {
		return nil, err
	}
	return &Object{New(cfg, Location{bucket: bucket}, endpoint, variable), key, maxPutBytes}, nil
}

// Stat returns what S3 knows of the object. It is an error that wraps
// [os.ErrNotExist] where it is not there. It asks for the object, and reads none
// of it: what S3 answers to HEAD does not say what is wrong.
func (o *Object) Stat(ctx context.Context) (About, error) {
	out, err := o.get(ctx, &s3.GetObjectInput{})
	if err != nil {
		return About{}, err
	}
	return About{aws.ToInt64(out.ContentLength), aws.ToString(out.ETag), out.Metadata}, out.Body.Close()
}

// OpenAt opens the object, which is still what about says, behind so many bytes.
// A body that breaks off is opened again where it broke.
func (o *Object) OpenAt(ctx context.Context, about About, offset int64) (io.ReadCloser, error) {
	b := &body{ctx: ctx, object: o, about: about, at: offset}
	return b, b.open()
}

func (o *Object) get(ctx context.Context, in *s3.GetObjectInput) (out *s3.GetObjectOutput, err error) {
	call, _ := o.bucket.reading(o.key)
	in.Bucket, in.Key = &o.bucket.location.bucket, &o.key
	err = o.bucket.inRegion(func(opts ...func(*s3.Options)) (err error) {
		out, err = o.bucket.getter.GetObject(ctx, in, opts...)
		return err
	})
	switch {
	case err == nil:
		return out, nil
	case is[*types.NoSuchKey](err):
		return nil, fmt.Errorf("%s: %w", call.Doing, os.ErrNotExist)
	case status(err) == http.StatusPreconditionFailed:
		return nil, hint.With(fmt.Errorf("%s: %w", call.Doing, ErrConflict), "begin anew with what is there now")
	}
	return nil, call.Explain(err)
}

// A body is an object that is read to its end, though connections break.
type body struct {
	ctx      context.Context //nolint:containedctx // a Reader has no other way to be told
	object   *Object
	about    About
	at       int64 // in the object
	r        io.ReadCloser
	failures int // since something came
}

// Read implements [io.Reader].
func (b *body) Read(p []byte) (int, error) {
	for {
		n, err := b.r.Read(p)
		b.at += int64(n)
		if n > 0 { // what is wrong comes again
			b.failures = 0
			return n, nil
		}
		if err == nil || b.at >= b.about.Bytes {
			return 0, err
		}
		if err := b.again(err); err != nil {
			return 0, err
		}
	}
}

// again opens a body that broke off with that error.
func (b *body) again(broke error) error {
	call, _ := b.object.bucket.reading(b.object.key)
	for {
		if b.failures++; b.failures > reopenings || b.ctx.Err() != nil {
			return call.Explain(broke)
		}
		if b.failures > 1 { // the first time at once
			select {
			case <-time.After(firstWait << (b.failures - 2)):
			case <-b.ctx.Done():
				return call.Explain(b.ctx.Err())
			}
		}
		_ = b.r.Close() // it is broken
		if broke = b.open(); broke == nil || errors.Is(broke, ErrConflict) || errors.Is(broke, os.ErrNotExist) {
			return broke
		}
	}
}

func (b *body) open() error {
	b.r = http.NoBody
	if b.at >= b.about.Bytes {
		return nil
	}
	in := &s3.GetObjectInput{IfMatch: &b.about.Tag}
	if b.at > 0 {
		in.Range = aws.String(fmt.Sprintf("bytes=%d-", b.at))
	}
	out, err := b.object.get(b.ctx, in)
	if err != nil {
		return err
	}
	b.r = out.Body
	if got := aws.ToString(out.ContentRange); b.at > 0 && !strings.HasPrefix(got, fmt.Sprintf("bytes %d-", b.at)) {
		return errors.Join(fmt.Errorf("reading s3://%s/%s from byte %d on: the answer has %q", b.object.bucket.location.bucket, b.object.key, b.at, got), b.r.Close())
	}
	return nil
}

// Close implements [io.Closer].
func (b *body) Close() error { return b.r.Close() }

// Write writes the object, at once or not at all: anew, or only where it is not
// there yet, which otherwise is an error that wraps [ErrConflict].
func (o *Object) Write(ctx context.Context, data io.ReadSeeker, metadata map[string]string, anew bool) error {
	call, _ := o.bucket.writing(o.key)
	size, err := data.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	if size > o.put {
		return hint.With(fmt.Errorf("%s: it has %d bytes, and S3 takes %d at once", call.Doing, size, o.put), "score the input in several files")
	}
	err = o.bucket.inRegion(func(opts ...func(*s3.Options)) error {
		if _, err := data.Seek(0, io.SeekStart); err != nil {
			return err
		}
		in := &s3.PutObjectInput{Bucket: &o.bucket.location.bucket, Key: &o.key, Body: data, ContentLength: &size, Metadata: metadata}
		if !anew {
			in.IfNoneMatch = aws.String("*")
		}
		_, err := o.bucket.putter.PutObject(ctx, in, opts...)
		return err
	})
	if s := status(err); err != nil && !anew && (s == http.StatusPreconditionFailed || s == http.StatusConflict) {
		return hint.With(fmt.Errorf("%s: %w", call.Doing, ErrConflict), "see what is there now")
	}
	if err != nil {
		return call.Explain(err)
	}
	return nil
}
