package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/skiff-ml/skiff/inference/bundle"
	"github.com/skiff-ml/skiff/inference/hint"
	"github.com/skiff-ml/skiff/inference/internal/awserr"
)

// ErrConflict is that a file is not what it was when it was read: somebody else
// has written it.
var ErrConflict = errors.New("somebody else has changed it")

// ReadChanged reads a file unless it still has that tag, S3's ETag: then there
// is no data, and the same tag. An empty tag is that of no file.
func (f *Folder) ReadChanged(ctx context.Context, name, tag string) (data []byte, newTag string, err error) {
	call, key := f.reading(name)
	in := &s3.GetObjectInput{Bucket: &f.location.bucket, Key: &key}
	if tag != "" {
		in.IfNoneMatch = &tag
	}
	var out *s3.GetObjectOutput
	err = f.inRegion(func(opts ...func(*s3.Options)) (err error) {
		out, err = f.getter.GetObject(ctx, in, opts...)
		return err
	})
	switch {
	case err == nil:
	case status(err) == http.StatusNotModified && tag != "":
		return nil, tag, nil
	default:
		return nil, "", explainReading(call, err)
	}
	defer out.Body.Close()
	data, err = bundle.ReadAtMost(out.Body, int(min(aws.ToInt64(out.ContentLength), math.MaxInt32)), name, f.most(name))
	switch {
	case errors.Is(err, bundle.ErrInvalid):
		return nil, "", fmt.Errorf("%s: %w", call.Doing, err)
	case err != nil:
		return nil, "", orAgain(call.Explain(err))
	}
	return data, aws.ToString(out.ETag), nil
}

// WriteIf writes a file that still has that tag, or one that is not there yet,
// where the tag is empty. Otherwise it is an error that wraps [ErrConflict].
func (f *Folder) WriteIf(ctx context.Context, name string, data []byte, tag string) error {
	call, key := f.writing(name)
	in := &s3.PutObjectInput{Bucket: &f.location.bucket, Key: &key, Body: bytes.NewReader(data)}
	if tag == "" {
		in.IfNoneMatch = aws.String("*")
	} else {
		in.IfMatch = &tag
	}
	err := f.inRegion(func(opts ...func(*s3.Options)) error {
		_, err := f.putter.PutObject(ctx, in, opts...)
		return err
	})
	if err == nil {
		return nil
	}
	// 404: what was to be replaced is gone; 409: two wrote at once
	if s := status(err); s == http.StatusPreconditionFailed || s == http.StatusConflict || awserr.Code(err) == "NoSuchKey" {
		return hint.With(fmt.Errorf("%s: %w", call.Doing, ErrConflict), "see what is there now, then try again")
	}
	return call.Explain(err)
}

// status is the HTTP status of a service's answer, or 0.
func status(err error) int {
	if answer, ok := errors.AsType[*smithyhttp.ResponseError](err); ok && answer.Response != nil {
		return answer.HTTPStatusCode()
	}
	return 0
}

func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

func (f *Folder) reading(name string) (awserr.Call, string) {
	key := f.location.key(name)
	return awserr.Call{
		Doing: fmt.Sprintf("reading s3://%s/%s", f.location.bucket, key), Key: "kms:Decrypt", Variable: f.variable,
		Action: "s3:GetObject (and s3:ListBucket, without which S3 says the same of what is not there)",
	}, key
}

func (f *Folder) writing(name string) (awserr.Call, string) {
	key := f.location.key(name)
	return awserr.Call{
		Doing: fmt.Sprintf("writing s3://%s/%s", f.location.bucket, key), Key: "kms:GenerateDataKey", Variable: f.variable,
		Action: "s3:PutObject",
	}, key
}

func explainReading(call awserr.Call, err error) error {
	if is[*types.NoSuchKey](err) {
		return fmt.Errorf("%s: %w", call.Doing, os.ErrNotExist)
	}
	return orAgain(call.Explain(err))
}
