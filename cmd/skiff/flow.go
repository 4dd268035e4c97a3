package main

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/spf13/cobra"

	"github.com/skiff-ml/skiff/cmd/internal/lambdatest/ministack"
	"github.com/skiff-ml/skiff/cmd/internal/localstate"
	"github.com/skiff-ml/skiff/inference/hint"
)

// aboutFlow is where records are sent to and followed.
const aboutFlow = `The streams are those of the local stack that is up. With --aws, or where AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_KINESIS or KINESIS_ENDPOINT_URL is set,
they are those that AWS's variables lead to.`

// How often a stream is asked for what is new: a shard of AWS answers five times a
// second, to all who read it.
const (
	localInterval = 200 * time.Millisecond
	awsInterval   = time.Second
)

// A flow is where records go, and what comes of them.
type flow struct {
	records, predictions, letters string   // streams, and a URL or ""
	id                            []string // where a record has its id; nil where that is not known
	interval                      time.Duration
	kinesis                       func(stream string) *kinesis.Client
	s3                            *s3.Client
}

// A flowOf is how a flow is asked for.
type flowOf struct {
	stack localStack
	aws   bool
}

func (f *flowOf) flags(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.aws, "aws", false, "the streams that AWS's variables lead to, not the local stack's")
	f.stack.dirFlag(cmd)
}

// flow returns the local stack's, or that of the environment.
func (s *settings) flow(ctx context.Context, f *flowOf) (*flow, error) {
	dir, err := f.stack.stackDir()
	if err != nil {
		return nil, err
	}
	endpoint := cmp.Or(s.getenv("KINESIS_ENDPOINT_URL"), s.getenv("AWS_ENDPOINT_URL_KINESIS"), s.getenv("AWS_ENDPOINT_URL"))
	st, err := localstate.Read(dir)
	if err != nil {
		return nil, err
	}
	isUp := st != nil && ministack.Healthy(ctx, st.Endpoint)
	switch {
	case !f.aws && isUp && (endpoint == "" || endpoint == st.Endpoint):
		server := ministack.Connect(st.Endpoint)
		return &flow{
			records: localstate.RidesStream, predictions: localstate.PredictionsStream,
			letters: "s3://" + localstate.DeadLetterBucket + "/" + localstate.DeadLetterPrefix,
			id:      st.ID, interval: localInterval, s3: server.S3,
			kinesis: func(string) *kinesis.Client { return server.Kinesis },
		}, nil
	case !f.aws && endpoint == "":
		return nil, hint.With(errors.New("the local stack is not up"), "skiff up RUN starts it; --aws is for the streams that AWS's variables lead to")
	}
	sdk, err := awsConfig(ctx)
	if err != nil {
		return nil, err
	}
	if err := credentials(ctx, sdk); err != nil {
		return nil, err
	}
	return &flow{
		records: localstate.RidesStream, predictions: cmp.Or(s.getenv("PREDICTIONS_STREAM_NAME"), localstate.PredictionsStream),
		letters: s.getenv("DEAD_LETTER"), interval: awsInterval, s3: s.s3Client(sdk),
		kinesis: func(stream string) *kinesis.Client { return s.kinesisClient(sdk, stream) },
	}, nil
}

// kinesisClient returns the client for a stream, by its name or its ARN.
func (s *settings) kinesisClient(sdk aws.Config, stream string) *kinesis.Client {
	a, _ := arn.Parse(stream) // a name is none
	return kinesis.NewFromConfig(sdk, func(o *kinesis.Options) {
		o.BaseEndpoint = cmp.Or(s.endpoint("KINESIS_ENDPOINT_URL"), o.BaseEndpoint)
		o.Region = cmp.Or(a.Region, o.Region)
	})
}

func (s *settings) s3Client(sdk aws.Config) *s3.Client {
	return s3.NewFromConfig(sdk, func(o *s3.Options) {
		o.BaseEndpoint = cmp.Or(s.endpoint("S3_ENDPOINT_URL"), o.BaseEndpoint)
		o.UsePathStyle = o.BaseEndpoint != nil
	})
}
