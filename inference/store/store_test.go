package store

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

type getterFunc func(*s3.GetObjectInput) (*s3.GetObjectOutput, error)

func (f getterFunc) GetObject(_ context.Context, in *s3.GetObjectInput, _ ...func(*s3.Options)) (*s3.GetObjectOutput, error) {
	return f(in)
}

func TestReadFile(t *testing.T) {
	for location, want := range map[string]string{
		"s3://bucket/1/run/artifacts/onnx":  "bucket 1/run/artifacts/onnx/model.onnx",
		"s3://bucket/1/run/artifacts/onnx/": "bucket 1/run/artifacts/onnx/model.onnx",
		"s3://bucket":                       "bucket model.onnx",
		"s3://bucket/":                      "bucket model.onnx",
	} {
		f, err := New(aws.Config{Region: "us-east-1"}, location, "")
		if err != nil {
			t.Fatal(err)
		}
		f.client = getterFunc(func(in *s3.GetObjectInput) (*s3.GetObjectOutput, error) {
			return &s3.GetObjectOutput{Body: io.NopCloser(strings.NewReader(*in.Bucket + " " + *in.Key))}, nil
		})
		if got, err := f.ReadFile(context.Background(), "model.onnx"); err != nil || string(got) != want {
			t.Errorf("%s: got %s, %v; want %s", location, got, err, want)
		}
	}
}

func TestReadFileThatIsNotThere(t *testing.T) {
	denied := errors.New("denied")
	for answer, want := range map[error]error{&types.NoSuchKey{}: os.ErrNotExist, denied: denied} {
		f := &Folder{client: getterFunc(func(*s3.GetObjectInput) (*s3.GetObjectOutput, error) { return nil, answer }), bucket: "b", prefix: "p"}
		_, err := f.ReadFile(context.Background(), "model.onnx")
		if !errors.Is(err, want) || !strings.Contains(err.Error(), "s3://b/p/model.onnx") {
			t.Errorf("got %v, want %v", err, want)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	for _, location := range []string{"", "bucket/key", "s3://", "s3:///key", "https://bucket/key"} {
		if _, err := New(aws.Config{}, location, ""); err == nil {
			t.Errorf("%q is taken", location)
		}
	}
}
