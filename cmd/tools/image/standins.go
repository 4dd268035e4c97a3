package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"skiff/cmd/internal/lambdatest/process"
)

const (
	region      = "us-east-1"
	stream      = "ride-predictions" // the tutorial's
	bucket      = "mlflow-models"
	standInTime = 30 * time.Second
)

// standIns are Kinesis and S3, in ministack.
type standIns struct {
	endpoint string
	kinesis  *kinesis.Client
	s3       *s3.Client
}

// startStandIns starts ministack at an address, with the stream and a bucket
// with the bundles.
func (t *tester) startStandIns(ctx context.Context, address string, runs []string) (*standIns, error) {
	ctx, cancel := context.WithTimeout(ctx, standInTime)
	defer cancel()
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	program, err := filepath.Abs(".build/local-venv/bin/ministack")
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(program) //nolint:noctx // stopped by close
	cmd.Dir = t.temp
	cmd.Env = append(os.Environ(), "GATEWAY_PORT="+port, "BIND_HOST="+host, "MINISTACK_REGION="+region, "SERVICES=kinesis,s3",
		"IOT_MTLS_ENABLED=0", "SFTP_ENABLED=0", "PERSIST_STATE=0", "S3_PERSIST=0", "STATE_DIR="+filepath.Join(t.temp, "state"),
		"S3_DATA_DIR="+filepath.Join(t.temp, "s3"), "TMPDIR="+t.temp, "DOCKER_HOST=unix://"+filepath.Join(t.temp, "none.sock"))
	if err := t.start(cmd); err != nil {
		return nil, err
	}
	keys := credentials.NewStaticCredentialsProvider("test", "test", "")
	endpoint := "http://" + address
	s := &standIns{
		endpoint: endpoint,
		kinesis:  kinesis.New(kinesis.Options{Region: region, BaseEndpoint: &endpoint, Credentials: keys, HTTPClient: http.DefaultClient}),
		s3:       s3.New(s3.Options{Region: region, BaseEndpoint: &endpoint, Credentials: keys, HTTPClient: http.DefaultClient, UsePathStyle: true}),
	}
	if err := until(ctx, func() error { return get(ctx, endpoint+"/_ministack/health", nil) }); err != nil {
		return nil, fmt.Errorf("starting ministack: %w", err)
	}
	return s, errors.Join(s.makeStream(ctx), s.upload(ctx, runs))
}

func (s *standIns) makeStream(ctx context.Context) error {
	if _, err := s.kinesis.CreateStream(ctx, &kinesis.CreateStreamInput{StreamName: aws.String(stream), ShardCount: aws.Int32(1)}); err != nil {
		return fmt.Errorf("making stream %s: %w", stream, err)
	}
	return until(ctx, func() error {
		out, err := s.kinesis.DescribeStreamSummary(ctx, &kinesis.DescribeStreamSummaryInput{StreamName: aws.String(stream)})
		if err != nil {
			return err
		}
		if status := out.StreamDescriptionSummary.StreamStatus; status != types.StreamStatusActive {
			return fmt.Errorf("stream %s is %s", stream, status)
		}
		return nil
	})
}

// upload puts the bundles where MLflow's artifacts are.
func (s *standIns) upload(ctx context.Context, runs []string) error {
	if _, err := s.s3.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String(bucket)}); err != nil {
		return fmt.Errorf("making bucket %s: %w", bucket, err)
	}
	for _, run := range runs {
		files, err := filepath.Glob(filepath.Join("models", run, "*"))
		if err != nil {
			return err
		}
		for _, file := range files {
			f, err := os.Open(file)
			if err != nil {
				return err
			}
			_, err = s.s3.PutObject(ctx, &s3.PutObjectInput{
				Bucket: aws.String(bucket), Key: aws.String("1/" + run + "/artifacts/onnx/" + filepath.Base(file)), Body: f,
			})
			if err := errors.Join(err, f.Close()); err != nil {
				return fmt.Errorf("uploading %s: %w", file, err)
			}
		}
	}
	return nil
}

// published returns all that is on the stream.
func (s *standIns) published(ctx context.Context) ([]string, error) {
	iterator, err := s.kinesis.GetShardIterator(ctx, &kinesis.GetShardIteratorInput{
		StreamName: aws.String(stream), ShardId: aws.String("shardId-000000000000"), ShardIteratorType: types.ShardIteratorTypeTrimHorizon,
	})
	if err != nil {
		return nil, fmt.Errorf("reading stream %s: %w", stream, err)
	}
	out, err := s.kinesis.GetRecords(ctx, &kinesis.GetRecordsInput{ShardIterator: iterator.ShardIterator})
	if err != nil {
		return nil, fmt.Errorf("reading stream %s: %w", stream, err)
	}
	records := make([]string, len(out.Records))
	for i := range out.Records {
		records[i] = string(out.Records[i].Data)
	}
	return records, nil
}

// denying is a server that lets nobody in, as S3 and as Kinesis say it.
func (t *tester) denying() string {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Amz-Target") != "" {
			w.Header().Set("Content-Type", "application/x-amz-json-1.1")
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, `{"__type":"AccessDeniedException","Message":"not authorized to perform: kinesis:PutRecords"}`)
			return
		}
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, `<?xml version="1.0"?><Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>`)
	}))
	t.closers = append(t.closers, server.Close)
	return server.URL
}

// start starts a program that close stops.
func (t *tester) start(cmd *exec.Cmd) error {
	p, err := process.Start(cmd)
	if err != nil {
		return err
	}
	t.closers = append(t.closers, func() { p.Stop(2 * time.Second) })
	return nil
}

// until tries until there is no error, or no time left.
func until(ctx context.Context, try func() error) error {
	tick := time.NewTicker(25 * time.Millisecond)
	defer tick.Stop()
	for {
		err := try()
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		}
	}
}

// get fetches what is at url; header sets what is asked for.
func get(ctx context.Context, url string, read func(*http.Response) error) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	request.Header.Set("Accept", "application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.manifest.v1+json, */*")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", url, response.Status)
	}
	if read == nil {
		return nil
	}
	return read(response)
}
