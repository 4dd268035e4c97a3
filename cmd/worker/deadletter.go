package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/skiff-ml/skiff/inference"
	"github.com/skiff-ml/skiff/inference/hint"
	"github.com/skiff-ml/skiff/inference/sink"
	"github.com/skiff-ml/skiff/inference/store"
)

// deadLetterForms is what DEAD_LETTER may be.
const deadLetterForms = "it is kinesis://NAME-OR-ARN, sqs://NAME-ARN-OR-URL or s3://BUCKET/PREFIX"

// An openTarget makes a target of what was read and checked before. Nothing is
// sent yet.
type openTarget func(sdk aws.Config, c *config) *inference.Target

// parseDeadLetter reads where dead letters go. They don't go among the
// predictions.
func parseDeadLetter(place string, predictions sink.Stream) (openTarget, error) {
	const variable = "DEAD_LETTER"
	scheme, rest, _ := strings.Cut(place, "://")
	switch scheme {
	case "kinesis":
		stream, err := sink.ParseStream(rest)
		if err == nil && stream == predictions {
			err = hint.With(errors.New("dead letters would be among the predictions"), "give them a stream of their own, a queue or a folder")
		}
		return func(sdk aws.Config, c *config) *inference.Target {
			return &inference.Target{Sink: sink.NewKinesis(sdk, stream, c.kinesisEndpoint, variable), Limits: sink.KinesisLimits()}
		}, err
	case "sqs":
		queue, err := sink.ParseQueue(rest)
		return func(sdk aws.Config, c *config) *inference.Target {
			return &inference.Target{Sink: sink.NewSQS(sdk, queue, c.sqsEndpoint, variable), Limits: sink.SQSLimits()}
		}, err
	case "s3":
		location, err := store.ParseLocation(place)
		if err != nil {
			return nil, hint.With(err, deadLetterForms)
		}
		return func(sdk aws.Config, c *config) *inference.Target {
			return &inference.Target{Sink: sink.NewFiles(store.New(sdk, location, c.s3Endpoint, variable)), Limits: sink.FilesLimits()}
		}, nil
	}
	return nil, hint.With(fmt.Errorf("%q is no place for dead letters", place), deadLetterForms)
}
