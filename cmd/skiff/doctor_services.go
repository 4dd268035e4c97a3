package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"

	"github.com/skiff-ml/skiff/cmd/internal/puts"
	"github.com/skiff-ml/skiff/inference/hint"
)

// answerTime is what a service may take to answer.
const answerTime = 5 * time.Second

// examineServices asks for the streams, queues and buckets that variables name,
// by calls that change nothing.
func (s *settings) examineServices(ctx context.Context) []finding {
	stream, letters, bucket := s.getenv("PREDICTIONS_STREAM_NAME"), s.getenv("DEAD_LETTER"), s.getenv("MODEL_BUCKET")
	var findings []finding
	silent := strings.EqualFold(s.getenv("TEST_RUN"), "true")
	switch {
	case silent:
		findings = append(findings, finding{note, "predictions", "TEST_RUN is True: nothing is published", ""})
		stream, letters = "", ""
	case stream == "":
		findings = append(findings, finding{
			note, "predictions", "PREDICTIONS_STREAM_NAME is not set: they would go to the stream ride_predictions", "set it to the stream's name or ARN",
		})
	}
	if !silent && letters == "" {
		findings = append(findings, finding{
			note, "dead letters", "DEAD_LETTER is not set: a bad record comes again, with all that is behind it", "set it to a kinesis://, sqs:// or s3:// URL",
		})
	}
	if stream == "" && letters == "" && bucket == "" {
		return findings
	}
	sdk, err := awsConfig(ctx)
	if err == nil {
		err = credentials(ctx, sdk)
	}
	if err != nil {
		return append(findings, failed("AWS", err))
	}
	findings = append(findings, finding{fine, "AWS", "region " + sdk.Region + ", and credentials", ""})
	sdk.Retryer = func() aws.Retryer { return aws.NopRetryer{} }
	if stream != "" {
		findings = append(findings, s.reach(ctx, "predictions", "PREDICTIONS_STREAM_NAME", "stream "+stream, func(ctx context.Context) error {
			return s.reachStream(ctx, sdk, stream)
		}))
	}
	if letters != "" {
		findings = append(findings, s.reach(ctx, "dead letters", "DEAD_LETTER", letters, func(ctx context.Context) error {
			return s.reachLetters(ctx, sdk, letters)
		}))
	}
	findings = append(findings, s.examineRights(ctx, sdk, stream, letters)...)
	if bucket != "" {
		findings = append(findings, s.reach(ctx, "bucket", "MODEL_BUCKET", "s3://"+bucket, func(ctx context.Context) error {
			return s.reachBucket(ctx, sdk, bucket)
		}))
	}
	return findings
}

// credentials returns an error where there are none.
func credentials(ctx context.Context, sdk aws.Config) error {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	if _, err := sdk.Credentials.Retrieve(ctx); err != nil {
		return hint.With(fmt.Errorf("finding AWS credentials: %w", err), "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
	}
	return nil
}

// reach asks for one thing that a variable names, and says what came of it. That
// the question itself is not allowed is only a note: the worker asks another.
func (s *settings) reach(ctx context.Context, subject, variable, what string, ask func(context.Context) error) finding {
	limited, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	err := ask(limited)
	if err == nil {
		return finding{fine, subject, what + " is there", ""}
	}
	code, message := "", err.Error()
	if e, ok := errors.AsType[smithy.APIError](err); ok {
		code, message = e.ErrorCode(), strings.TrimSuffix(e.ErrorCode()+": "+e.ErrorMessage(), ": ")
	}
	switch {
	case hint.Of(err) != "":
		return failed(subject, err)
	case strings.Contains(code, "NotFound") || strings.Contains(code, "NonExistent") || strings.Contains(code, "DoesNotExist") || strings.HasPrefix(code, "NoSuch"):
		return finding{wrong, subject, what + " is not there", "create it, or correct " + variable + ", region or account"}
	case strings.HasPrefix(code, "AccessDenied") || code == "Forbidden":
		return finding{note, subject, "nobody here may ask whether " + what + " is there: " + message, "the worker needs other rights; deploy/README.md has them"}
	case limited.Err() != nil && ctx.Err() == nil:
		message = fmt.Sprintf("no answer within %v", answerTime)
	}
	return finding{wrong, subject, what + " cannot be reached: " + message, "look at the network, the credentials, and the endpoints in AWS_ENDPOINT_URL and the like"}
}

func (s *settings) reachStream(ctx context.Context, sdk aws.Config, named string) error {
	in := &kinesis.DescribeStreamSummaryInput{}
	in.StreamName, in.StreamARN = puts.Name(named)
	out, err := s.kinesisClient(sdk, named).DescribeStreamSummary(ctx, in)
	if err != nil {
		return err
	}
	if status := out.StreamDescriptionSummary.StreamStatus; status != "ACTIVE" && status != "UPDATING" {
		return hint.With(fmt.Errorf("stream %s is %s", named, strings.ToLower(string(status))), "it takes records when it is active")
	}
	return nil
}

// reachLetters asks for where dead letters go. What it cannot be the worker has
// said already.
func (s *settings) reachLetters(ctx context.Context, sdk aws.Config, place string) error {
	scheme, rest, _ := strings.Cut(place, "://")
	switch scheme {
	case "kinesis":
		return s.reachStream(ctx, sdk, rest)
	case "s3":
		bucket, _, _ := strings.Cut(rest, "/")
		return s.reachBucket(ctx, sdk, bucket)
	case "sqs":
		return s.reachQueue(ctx, sdk, rest)
	}
	return hint.With(fmt.Errorf("%q is no place for dead letters", place), "it is kinesis://NAME-OR-ARN, sqs://NAME-ARN-OR-URL or s3://BUCKET/PREFIX")
}

func (s *settings) reachBucket(ctx context.Context, sdk aws.Config, bucket string) error {
	_, err := s.s3Client(sdk).HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &bucket})
	return err
}

// regionOfQueue finds the region in the host of a queue's URL.
var regionOfQueue = regexp.MustCompile(`\bsqs(?:-fips)?\.([a-z0-9-]+)\.`)

// reachQueue asks for a queue by its name, its ARN or its URL.
func (s *settings) reachQueue(ctx context.Context, sdk aws.Config, queue string) error {
	in := &sqs.GetQueueUrlInput{QueueName: &queue}
	region, endpoint := "", s.endpoint("SQS_ENDPOINT_URL")
	u, err := url.Parse(queue)
	isURL := err == nil && u.Host != ""
	if isURL {
		if found := regionOfQueue.FindStringSubmatch(u.Host); found != nil {
			region = found[1]
		}
		endpoint = cmp.Or(endpoint, aws.String(u.Scheme+"://"+u.Host))
	}
	if a, err := arn.Parse(queue); err == nil {
		in.QueueName, in.QueueOwnerAWSAccountId, region = &a.Resource, &a.AccountID, a.Region
	}
	client := sqs.NewFromConfig(sdk, func(o *sqs.Options) {
		o.BaseEndpoint = cmp.Or(endpoint, o.BaseEndpoint)
		o.Region = cmp.Or(region, o.Region)
	})
	if isURL {
		_, err = client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &queue, AttributeNames: []types.QueueAttributeName{"QueueArn"}})
	} else {
		_, err = client.GetQueueUrl(ctx, in)
	}
	return err
}

// endpoint returns what a variable of the worker's says, nil where it is not set.
func (s *settings) endpoint(variable string) *string {
	if at := s.getenv(variable); at != "" {
		return &at
	}
	return nil
}
