//go:build image

package image

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"github.com/skiff-ml/skiff/cmd/internal/lambdatest/ministack"
	"github.com/skiff-ml/skiff/cmd/internal/lambdatest/process"
)

const (
	stream = "ride-predictions" // the tutorial's
	bucket = "mlflow-models"
)

// standIns are Kinesis and S3.
type standIns struct{ *ministack.Server }

// startStandIns starts ministack at an address, with the stream and a bucket
// with the bundles, where MLflow's artifacts are.
func (t *tester) startStandIns(ctx context.Context, address string, runs []string) (*standIns, error) {
	program, err := filepath.Abs(".build/venv/bin/ministack")
	if err != nil {
		return nil, err
	}
	server, err := ministack.Start(ctx, ministack.Config{Program: program, Address: address, Dir: t.temp})
	if err != nil {
		return nil, err
	}
	t.t.Cleanup(server.Stop)
	if err := server.CreateStreams(ctx, 1, stream); err != nil {
		return nil, err
	}
	for _, run := range runs {
		if err := server.Upload(ctx, bucket, "1/"+run+"/artifacts/onnx/", filepath.Join("models", run)); err != nil {
			return nil, err
		}
	}
	return &standIns{server}, nil
}

// published returns all that is on the stream.
func (s *standIns) published(ctx context.Context) ([]string, error) {
	iterator, err := s.Kinesis.GetShardIterator(ctx, &kinesis.GetShardIteratorInput{
		StreamName: aws.String(stream), ShardId: aws.String("shardId-000000000000"), ShardIteratorType: types.ShardIteratorTypeTrimHorizon,
	})
	if err != nil {
		return nil, fmt.Errorf("reading stream %s: %w", stream, err)
	}
	out, err := s.Kinesis.GetRecords(ctx, &kinesis.GetRecordsInput{ShardIterator: iterator.ShardIterator})
	if err != nil {
		return nil, fmt.Errorf("reading stream %s: %w", stream, err)
	}
	records := make([]string, len(out.Records))
	for i := range out.Records {
		records[i] = string(out.Records[i].Data)
	}
	return records, nil
}

// start starts a program that is stopped in the end.
func (t *tester) start(cmd *exec.Cmd) error {
	p, err := process.Start(cmd)
	if err != nil {
		return err
	}
	t.t.Cleanup(func() { p.Stop(2 * time.Second) })
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
