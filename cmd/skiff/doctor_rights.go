package main

import (
	"context"
	"crypto/md5" //nolint:gosec // Content-MD5 is S3's
	"encoding/base64"
	"errors"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"

	"github.com/skiff-ml/skiff/cmd/internal/puts"
)

// examineRights says whether these credentials may do what the worker does, by
// requests that nobody can fulfil: a service looks at the rights first. A stand-in
// might fulfil them after all, so that only AWS itself is asked.
func (s *settings) examineRights(ctx context.Context, sdk aws.Config, stream, letters string) []finding {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	scheme, rest, _ := strings.Cut(letters, "://")
	var findings []finding
	put := func(stream string) {
		client := s.kinesisClient(sdk, stream)
		if at := client.Options().BaseEndpoint; at != nil {
			findings = append(findings, unseen("put records on "+stream, *at+" may be a stand-in, which would take what is tried"))
			return
		}
		findings = append(findings, may("put records on "+stream, "kinesis:PutRecords", tryPut(ctx, client, stream)))
	}
	if stream != "" {
		put(stream)
	}
	switch scheme {
	case "kinesis":
		put(rest)
	case "s3":
		bucket, prefix, _ := strings.Cut(rest, "/")
		client := s.s3Client(sdk)
		if at := client.Options().BaseEndpoint; at != nil {
			findings = append(findings, unseen("write to "+letters, *at+" may be a stand-in, which would take what is tried"))
		} else {
			findings = append(findings, may("write to "+letters, "s3:PutObject", tryWrite(ctx, client, bucket, strings.TrimPrefix(strings.TrimSuffix(prefix, "/")+"/skiff-doctor", "/"))))
		}
	case "sqs":
		findings = append(findings, unseen("send messages to "+letters, "none can be tried without being sent"))
	}
	return findings
}

const rights = "rights"

func unseen(what, why string) finding {
	return finding{note, rights, "whether these credentials may " + what + " cannot be seen: " + why, ""}
}

// errImpossible is that the service would have done it, were it possible.
var errImpossible = errors.New("it cannot be done, but might")

// may returns what the answer to a trial says about a right.
func may(what, action string, err error) finding {
	e, isAPI := errors.AsType[smithy.APIError](err)
	switch {
	case errors.Is(err, errImpossible):
		return finding{fine, rights, "these credentials may " + what, ""}
	case err == nil:
		return unseen(what, "what nobody should be able to do was done")
	case isAPI && (strings.Contains(e.ErrorCode(), "AccessDenied") || e.ErrorCode() == "Forbidden"):
		return finding{
			wrong, rights, "these credentials may not " + what + ": " + e.ErrorMessage(), "the function's role needs " + action + "; deploy/template.yaml has all that it needs",
		}
	case isAPI:
		return unseen(what, strings.TrimSuffix(e.ErrorCode()+": "+e.ErrorMessage(), ": "))
	}
	return unseen(what, err.Error())
}

// beyondHashKeys is 2^128, the first number that is no hash key: a record with it
// is of no shard.
const beyondHashKeys = "340282366920938463463374607431768211456"

// tryPut puts a record that is of no shard, which fails whoever may put others.
func tryPut(ctx context.Context, client *kinesis.Client, stream string) error {
	in := &kinesis.PutRecordsInput{Records: []types.PutRecordsRequestEntry{{
		Data: []byte("{}"), PartitionKey: aws.String("skiff-doctor"), ExplicitHashKey: aws.String(beyondHashKeys),
	}}}
	in.StreamName, in.StreamARN = puts.Name(stream)
	_, err := client.PutRecords(ctx, in)
	if invalid := (*types.InvalidArgumentException)(nil); errors.As(err, &invalid) {
		return errImpossible
	}
	return err
}

// tryWrite writes an object whose MD5 is another's, which fails whoever may write.
func tryWrite(ctx context.Context, client *s3.Client, bucket, key string) error {
	sum := md5.Sum([]byte("another")) //nolint:gosec // as above
	_, err := client.PutObject(ctx, &s3.PutObjectInput{
		Bucket: &bucket, Key: &key, Body: strings.NewReader("skiff doctor"), ContentMD5: aws.String(base64.StdEncoding.EncodeToString(sum[:])),
	})
	if e, ok := errors.AsType[smithy.APIError](err); ok && e.ErrorCode() == "BadDigest" {
		return errImpossible
	}
	return err
}
