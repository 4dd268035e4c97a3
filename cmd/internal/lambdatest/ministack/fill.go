package ministack

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	streams "github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// streamsActive is the most that a new stream may take.
const streamsActive = 20 * time.Second

// CreateStreams makes streams of so many shards and waits until they are active. One that is there already is fine.
func (s *Server) CreateStreams(ctx context.Context, shards int, names ...string) error {
	for _, name := range names {
		in := &kinesis.CreateStreamInput{StreamName: &name, ShardCount: aws.Int32(int32(shards))} //nolint:gosec // a few
		if _, err := s.Kinesis.CreateStream(ctx, in); err != nil {
			if exists := (*streams.ResourceInUseException)(nil); !errors.As(err, &exists) {
				return fmt.Errorf("making stream %s: %w", name, err)
			}
		}
	}
	waiter := kinesis.NewStreamExistsWaiter(s.Kinesis, func(o *kinesis.StreamExistsWaiterOptions) {
		o.MinDelay, o.MaxDelay = pollInterval, time.Second
	})
	for _, name := range names {
		if err := waiter.Wait(ctx, &kinesis.DescribeStreamInput{StreamName: &name}, streamsActive); err != nil {
			return fmt.Errorf("waiting for stream %s: %w", name, err)
		}
	}
	return nil
}

// CreateBucket makes a bucket. One that is there already is fine.
func (s *Server) CreateBucket(ctx context.Context, bucket string) error {
	if _, err := s.S3.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &bucket}); err != nil {
		if owned := (*types.BucketAlreadyOwnedByYou)(nil); !errors.As(err, &owned) {
			return fmt.Errorf("making bucket %s: %w", bucket, err)
		}
	}
	return nil
}

// Objects hands over every object of a bucket whose key starts with prefix, in the order of the keys.
func (s *Server) Objects(ctx context.Context, bucket, prefix string, each func(key string, data []byte) error) error {
	pages := s3.NewListObjectsV2Paginator(s.S3, &s3.ListObjectsV2Input{Bucket: &bucket, Prefix: &prefix})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return fmt.Errorf("listing s3://%s/%s: %w", bucket, prefix, err)
		}
		for _, object := range page.Contents {
			data, err := s.object(ctx, bucket, *object.Key)
			if err != nil {
				return fmt.Errorf("reading s3://%s/%s: %w", bucket, *object.Key, err)
			}
			if err := each(*object.Key, data); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Server) object(ctx context.Context, bucket, key string) ([]byte, error) {
	out, err := s.S3.GetObject(ctx, &s3.GetObjectInput{Bucket: &bucket, Key: &key})
	if err != nil {
		return nil, err
	}
	defer out.Body.Close()
	return io.ReadAll(out.Body)
}

// Delete deletes an object.
func (s *Server) Delete(ctx context.Context, bucket, key string) error {
	if _, err := s.S3.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &bucket, Key: &key}); err != nil {
		return fmt.Errorf("deleting s3://%s/%s: %w", bucket, key, err)
	}
	return nil
}

// Write writes an object.
func (s *Server) Write(ctx context.Context, bucket, key string, data []byte) error {
	if _, err := s.S3.PutObject(ctx, &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: bytes.NewReader(data)}); err != nil {
		return fmt.Errorf("writing s3://%s/%s: %w", bucket, key, err)
	}
	return nil
}

// Upload puts every file of a folder into a bucket, which it makes where it is not there: a file's key is its name after prefix.
func (s *Server) Upload(ctx context.Context, bucket, prefix, dir string) error {
	if err := s.CreateBucket(ctx, bucket); err != nil {
		return err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("reading the bundle: %w", err)
	}
	for _, e := range entries {
		if !e.Type().IsRegular() {
			continue
		}
		if err := s.uploadFile(ctx, filepath.Join(dir, e.Name()), bucket, prefix+e.Name()); err != nil {
			return err
		}
	}
	return nil
}

func (s *Server) uploadFile(ctx context.Context, file, bucket, key string) error {
	f, err := os.Open(file)
	if err != nil {
		return fmt.Errorf("reading the bundle: %w", err)
	}
	defer func() { _ = f.Close() }()
	if _, err := s.S3.PutObject(ctx, &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: f}); err != nil {
		return fmt.Errorf("uploading %s: %w", filepath.Base(file), err)
	}
	return nil
}
