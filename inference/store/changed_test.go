package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/skiff-ml/skiff/inference/hint"
)

// changing is what a Folder and a Dir have in common.
type changing interface {
	ReadChanged(ctx context.Context, name, tag string) (data []byte, newTag string, err error)
	WriteIf(ctx context.Context, name string, data []byte, tag string) error
}

// A conditional is S3 with one object, as far as its conditions go. Ministack has
// them as well: cmd/tools/swap runs on it.
type conditional struct {
	data     []byte // nil: there is none
	revision int
}

func (c *conditional) tag() string { return fmt.Sprintf(`"%d"`, c.revision) }

func (c *conditional) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	refuse := func(status int, code string) {
		w.WriteHeader(status)
		if status != http.StatusNotModified {
			fmt.Fprintf(w, `<?xml version="1.0"?><Error><Code>%s</Code></Error>`, code)
		}
	}
	match, none := r.Header.Get("If-Match"), r.Header.Get("If-None-Match")
	switch {
	case r.Method == http.MethodGet && c.data == nil, match != "" && c.data == nil:
		refuse(http.StatusNotFound, "NoSuchKey")
	case r.Method == http.MethodGet && none == c.tag():
		refuse(http.StatusNotModified, "")
	case r.Method == http.MethodGet:
		w.Header().Set("ETag", c.tag())
		_, _ = w.Write(c.data)
	case match != "" && match != c.tag(), none == "*" && c.data != nil:
		refuse(http.StatusPreconditionFailed, "PreconditionFailed")
	case match == "" && none == "":
		refuse(http.StatusBadRequest, "Unconditional")
	default:
		c.data, _ = io.ReadAll(r.Body)
		c.revision++
	}
}

// A file is read when it has changed, and written when nobody else has.
func TestFilesThatChange(t *testing.T) {
	s3 := &conditional{}
	server := httptest.NewServer(s3)
	defer server.Close()
	cfg := aws.Config{Region: "us-east-1", Credentials: credentials.NewStaticCredentialsProvider("id", "secret", "")}
	dir := t.TempDir()
	for name, test := range map[string]struct {
		folder changing
		remove func()
	}{
		"S3":   {New(cfg, Location{"bucket", "p"}, server.URL, "PLACE"), func() { s3.data = nil }},
		"disk": {Dir(dir), func() { _ = os.Remove(filepath.Join(dir, "sub/f")) }},
	} {
		t.Run(name, func(t *testing.T) {
			f, ctx := test.folder, t.Context()
			if _, _, err := f.ReadChanged(ctx, "sub/f", ""); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("of no file: %v", err)
			}
			write := func(data, tag string) error { return f.WriteIf(ctx, "sub/f", []byte(data), tag) }
			if err := write("one", ""); err != nil {
				t.Fatal(err)
			}
			data, one, err := f.ReadChanged(ctx, "sub/f", "")
			if string(data) != "one" || one == "" || err != nil {
				t.Fatalf("read %q, %q, %v", data, one, err)
			}
			if data, tag, err := f.ReadChanged(ctx, "sub/f", one); data != nil || tag != one || err != nil {
				t.Errorf("unchanged: %q, %q, %v", data, tag, err)
			}
			if err := write("two", one); err != nil {
				t.Fatal(err)
			}
			for _, tag := range []string{one, ""} {
				if err := write("three", tag); !errors.Is(err, ErrConflict) || hint.Of(err) == "" {
					t.Errorf("over another one, with tag %q: %v", tag, err)
				}
			}
			data, two, err := f.ReadChanged(ctx, "sub/f", one)
			if string(data) != "two" || two == one || err != nil {
				t.Errorf("read %q, %q, %v", data, two, err)
			}
			test.remove()
			if _, _, err := f.ReadChanged(ctx, "sub/f", two); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("of a file that is gone: %v", err)
			}
			if err := write("three", two); !errors.Is(err, ErrConflict) {
				t.Errorf("over a file that is gone: %v", err)
			}
		})
	}
}
