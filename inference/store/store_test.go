package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"

	"github.com/skiff-ml/skiff/inference"
	"github.com/skiff-ml/skiff/inference/bundle"
	"github.com/skiff-ml/skiff/inference/hint"
)

type getterFunc func(*s3.GetObjectInput) (*s3.GetObjectOutput, error)

func (f getterFunc) GetObject(_ context.Context, in *s3.GetObjectInput, _ ...func(*s3.Options)) (*s3.GetObjectOutput, error) {
	return f(in)
}

type putterFunc func(*s3.PutObjectInput) (*s3.PutObjectOutput, error)

func (f putterFunc) PutObject(_ context.Context, in *s3.PutObjectInput, _ ...func(*s3.Options)) (*s3.PutObjectOutput, error) {
	return f(in)
}

func testFolder(get getterFunc, put putterFunc) *Folder {
	return &Folder{getter: get, putter: put, location: Location{"bucket", "p"}, variable: "PLACE", most: func(string) int { return 10 }}
}

func TestFiles(t *testing.T) {
	for place, want := range map[string]string{
		"s3://bucket/1/run/artifacts/onnx":  "bucket 1/run/artifacts/onnx/model.onnx",
		"s3://bucket/1/run/artifacts/onnx/": "bucket 1/run/artifacts/onnx/model.onnx",
		"s3://bucket":                       "bucket model.onnx",
		"s3://bucket/":                      "bucket model.onnx",
	} {
		location, err := ParseLocation(place)
		if err != nil {
			t.Fatal(err)
		}
		f := New(aws.Config{Region: "us-east-1"}, location, "", "PLACE")
		f.getter = getterFunc(func(in *s3.GetObjectInput) (*s3.GetObjectOutput, error) {
			return &s3.GetObjectOutput{Body: io.NopCloser(strings.NewReader(*in.Bucket + " " + *in.Key))}, nil
		})
		if got, err := f.ReadFile(t.Context(), "model.onnx"); err != nil || string(got) != want {
			t.Errorf("%s: got %s, %v; want %s", place, got, err, want)
		}
		f.putter = putterFunc(func(in *s3.PutObjectInput) (*s3.PutObjectOutput, error) {
			if body, err := io.ReadAll(in.Body); *in.Bucket+" "+*in.Key != want || string(body) != "data" || err != nil {
				t.Errorf("%s: put %s, %s: %s, %v", place, *in.Bucket, *in.Key, body, err)
			}
			return &s3.PutObjectOutput{}, nil
		})
		if err := f.WriteFile(t.Context(), "model.onnx", []byte("data")); err != nil {
			t.Error(err)
		}
	}
}

func TestReadFileThatIsNotThere(t *testing.T) {
	denied := errors.New("denied")
	for answer, want := range map[error]error{&types.NoSuchKey{}: os.ErrNotExist, denied: denied} {
		f := testFolder(func(*s3.GetObjectInput) (*s3.GetObjectOutput, error) { return nil, answer }, nil)
		_, err := f.ReadFile(t.Context(), "model.onnx")
		if !errors.Is(err, want) || !strings.Contains(err.Error(), "s3://bucket/p/model.onnx") {
			t.Errorf("got %v, want %v", err, want)
		}
	}
}

// endless is a body that would fill the memory.
type endless struct{ read int }

func (e *endless) Read(p []byte) (int, error) {
	e.read += len(p)
	return len(p), nil
}

func TestReadFileHasALimit(t *testing.T) {
	body := func(r io.Reader) getterFunc {
		return func(*s3.GetObjectInput) (*s3.GetObjectOutput, error) {
			return &s3.GetObjectOutput{Body: io.NopCloser(r)}, nil
		}
	}
	if got, err := testFolder(body(strings.NewReader("0123456789")), nil).ReadFile(t.Context(), "f"); string(got) != "0123456789" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	e := &endless{}
	if _, err := testFolder(body(io.LimitReader(e, 1<<20)), nil).ReadFile(t.Context(), "f"); err == nil || err.Error() != "reading s3://bucket/p/f: the bundle makes no sense: f is larger than 10 bytes" {
		t.Errorf("got %v", err)
	}
	if e.read > 1<<10 {
		t.Errorf("%d bytes were read", e.read)
	}
	if got := New(aws.Config{}, Location{}, "", "").most(bundle.ModelFile); got != 512<<20 {
		t.Errorf("the limit is %d", got)
	}
}

func TestErrorsSayWhatToDo(t *testing.T) {
	for _, test := range []struct {
		code, message string
		reading       string // part of the hint
		writing       string
		permanent     bool
	}{
		{"AccessDenied", "Access Denied", "s3:GetObject (and s3:ListBucket", "s3:PutObject on what PLACE names", true},
		{"AccessDenied", "not authorized to perform: kms:Decrypt", "kms:Decrypt on the KMS key", "kms:GenerateDataKey on the KMS key", true},
		{"NoSuchBucket", "", "check PLACE", "check PLACE", true},
		{"KMS.DisabledException", "", "is disabled", "is disabled", true},
		{"SlowDown", "", "start again", "", false},
	} {
		answer := &smithy.GenericAPIError{Code: test.code, Message: test.message}
		f := testFolder(
			func(*s3.GetObjectInput) (*s3.GetObjectOutput, error) { return nil, answer },
			func(*s3.PutObjectInput) (*s3.PutObjectOutput, error) { return nil, answer },
		)
		_, err := f.ReadFile(t.Context(), "f")
		if !strings.HasPrefix(err.Error(), "reading s3://bucket/p/f: "+test.code) || !strings.Contains(hint.Of(err), test.reading) {
			t.Errorf("got %v, hint %q", err, hint.Of(err))
		}
		err = f.WriteFile(t.Context(), "f", nil)
		if !strings.HasPrefix(err.Error(), "writing s3://bucket/p/f: "+test.code) || !strings.Contains(hint.Of(err), test.writing) ||
			errors.Is(err, inference.ErrPermanent) != test.permanent {
			t.Errorf("got %v, hint %q", err, hint.Of(err))
		}
	}
}

// A bucket in another region is read there, at once, and afterwards without
// asking the wrong one again.
func TestABucketInAnotherRegion(t *testing.T) {
	for name, refusal := range map[string]struct {
		status int
		code   string
	}{
		"redirect":  {http.StatusMovedPermanently, "PermanentRedirect"},
		"signature": {http.StatusBadRequest, "AuthorizationHeaderMalformed"},
	} {
		t.Run(name, func(t *testing.T) {
			var mu sync.Mutex
			var asked []string
			home := "eu-west-1"
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				mu.Lock()
				defer mu.Unlock()
				scope := strings.Split(r.Header.Get("Authorization"), "/")
				asked = append(asked, r.Method+" "+scope[2])
				if _, err := io.Copy(io.Discard, r.Body); err != nil {
					t.Error(err)
				}
				if scope[2] == home {
					_, _ = io.WriteString(w, "data")
					return
				}
				w.Header().Set("X-Amz-Bucket-Region", home)
				w.WriteHeader(refusal.status)
				fmt.Fprintf(w, `<?xml version="1.0"?><Error><Code>%s</Code><Message>elsewhere</Message></Error>`, refusal.code)
			}))
			defer server.Close()
			cfg := aws.Config{Region: "us-east-1", Credentials: credentials.NewStaticCredentialsProvider("id", "secret", "")}
			f := New(cfg, Location{"bucket", "p"}, server.URL, "PLACE")
			for range 2 {
				if data, err := f.ReadFile(t.Context(), "f"); string(data) != "data" || err != nil {
					t.Errorf("got %q, %v", data, err)
				}
				if err := f.WriteFile(t.Context(), "f", []byte("data")); err != nil {
					t.Error(err)
				}
			}
			mu.Lock()
			if want := []string{"GET us-east-1", "GET eu-west-1", "PUT eu-west-1", "GET eu-west-1", "PUT eu-west-1"}; !slices.Equal(asked, want) {
				t.Errorf("asked %v", asked)
			}
			// one that is nowhere
			asked, home = nil, ""
			mu.Unlock()
			_, err := f.ReadFile(t.Context(), "f")
			mu.Lock()
			defer mu.Unlock()
			if !strings.Contains(hint.Of(err), "in another region") || len(asked) != 1 {
				t.Errorf("asked %v, got %v, hint %q", asked, err, hint.Of(err))
			}
		})
	}
}

func TestParseLocationRefuses(t *testing.T) {
	for _, place := range []string{
		"", "bucket/key", "s3://", "s3:///key", "s3:/bucket/key", "https://bucket/key",
		"s3://s3://bucket/key", `s3://"bucket"/key`, "s3://bu cket/key", "s3://b/key", "s3://Bucket/key", "s3://bucket./key", "s3://a..b/key",
		"s3://" + strings.Repeat("a", 64) + "/key",
	} {
		if _, err := ParseLocation(place); err == nil || hint.Of(err) == "" {
			t.Errorf("%q is taken", place)
		}
	}
	for _, bucket := range []string{"abc", "my-models.example", strings.Repeat("a", 63), "1models"} {
		if err := CheckBucket(bucket); err != nil {
			t.Error(err)
		}
	}
}
