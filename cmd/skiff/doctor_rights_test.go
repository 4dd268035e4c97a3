package main

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"

	"github.com/skiff-ml/skiff/cmd/internal/lambdatest"
)

func TestTryPut(t *testing.T) {
	for _, tt := range []struct {
		answer error
		want   string
	}{
		{&types.InvalidArgumentException{Message: aws.String("Invalid ExplicitHashKey")}, "ok these credentials may put"},
		{&types.AccessDeniedException{Message: aws.String("no")}, "wrong these credentials may not put: no"},
		{&smithy.GenericAPIError{Code: "ValidationException", Message: "odd"}, "note whether these credentials may put cannot be seen: ValidationException: odd"},
		{errors.New("no route"), "note whether these credentials may put cannot be seen: "},
		{nil, "note whether these credentials may put cannot be seen: what nobody should"},
	} {
		client := lambdatest.StubKinesis(func(in any) (any, error) {
			records := in.(*kinesis.PutRecordsInput).Records
			if len(records) != 1 || *records[0].ExplicitHashKey != beyondHashKeys {
				t.Errorf("it tries %+v", records)
			}
			return &kinesis.PutRecordsOutput{}, tt.answer
		})
		f := may("put", "kinesis:PutRecords", tryPut(t.Context(), client, "rides"))
		if got := f.verdict + " " + f.says; !strings.HasPrefix(got, tt.want) || f.verdict == wrong && f.hint == "" {
			t.Errorf("%v: %s", tt.answer, got)
		}
	}
}

func TestTryWrite(t *testing.T) {
	for code, want := range map[string]string{"BadDigest": fine, "AccessDenied": wrong, "SlowDown": note, "": note} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodPut || r.URL.Path != "/letters/skiff-doctor" || r.Header.Get("Content-Md5") == "" {
				t.Errorf("it tries %s %s", r.Method, r.URL.Path)
			}
			if code != "" {
				w.WriteHeader(http.StatusForbidden)
				_, _ = w.Write([]byte("<Error><Code>" + code + "</Code><Message>m</Message></Error>"))
			}
		}))
		t.Cleanup(server.Close)
		client := s3.New(s3.Options{
			Region: "us-east-1", BaseEndpoint: &server.URL, UsePathStyle: true, Retryer: aws.NopRetryer{}, Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
				return aws.Credentials{AccessKeyID: "id", SecretAccessKey: "secret"}, nil
			}),
		})
		if f := may("write", "s3:PutObject", tryWrite(t.Context(), client, "letters", "skiff-doctor")); f.verdict != want {
			t.Errorf("%q: %+v", code, f)
		}
	}
}

// A stand-in might take what is tried, and a queue takes any: neither is asked.
func TestNotTried(t *testing.T) {
	s := &settings{getenv: func(name string) string {
		return map[string]string{"KINESIS_ENDPOINT_URL": "http://127.0.0.1:1", "S3_ENDPOINT_URL": "http://127.0.0.1:2"}[name]
	}}
	for _, letters := range []string{"kinesis://letters", "s3://letters/rides", "sqs://letters"} {
		got := s.examineRights(t.Context(), aws.Config{Region: "us-east-1"}, "rides", letters)
		if len(got) != 2 || got[0].verdict != note || got[1].verdict != note || !strings.Contains(got[1].says, "cannot be seen") {
			t.Errorf("%s: %+v", letters, got)
		}
	}
}
