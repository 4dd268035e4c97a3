package store

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/skiff-ml/skiff/inference/hint"
)

// A bucket is S3 with one object, whose body breaks off every so many bytes.
type bucket struct {
	*httptest.Server
	mu      sync.Mutex
	object  []byte
	tag     string
	cut     int // bytes of a body; 0: all
	deaf    bool
	gets    []string // their ranges
	written map[string]string
}

func newBucket(t *testing.T, object string) *bucket {
	t.Helper()
	b := &bucket{object: []byte(object), tag: `"one"`}
	b.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.mu.Lock()
		defer b.mu.Unlock()
		refuse := func(status int, code string) {
			w.WriteHeader(status)
			fmt.Fprintf(w, `<?xml version="1.0"?><Error><Code>%s</Code><Message>no</Message></Error>`, code)
		}
		if r.Method == http.MethodPut {
			data, err := io.ReadAll(r.Body)
			if err != nil {
				t.Error(err)
			}
			if r.Header.Get("If-None-Match") == "*" && b.object != nil {
				refuse(http.StatusPreconditionFailed, "PreconditionFailed")
				return
			}
			b.object, b.written = data, map[string]string{"run": r.Header.Get("X-Amz-Meta-Run"), "path": r.URL.Path}
			return
		}
		b.gets = append(b.gets, r.Header.Get("Range"))
		switch match := r.Header.Get("If-Match"); {
		case b.object == nil:
			refuse(http.StatusNotFound, "NoSuchKey")
			return
		case match != "" && match != b.tag:
			refuse(http.StatusPreconditionFailed, "PreconditionFailed")
			return
		}
		from := 0
		w.Header().Set("ETag", b.tag)
		w.Header().Set("X-Amz-Meta-Run", "run1")
		if r.Header.Get("Range") != "" && !b.deaf {
			if _, err := fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-", &from); err != nil {
				t.Error(err)
			}
			w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(b.object)-1, len(b.object)))
		}
		body := b.object[from:]
		w.Header().Set("Content-Length", fmt.Sprint(len(body)))
		if from > 0 {
			w.WriteHeader(http.StatusPartialContent)
		}
		if b.cut > 0 && len(body) > b.cut {
			body = body[:b.cut]
		}
		_, _ = w.Write(body)
	}))
	t.Cleanup(b.Close)
	return b
}

func (b *bucket) at(t *testing.T, key string) *Object {
	t.Helper()
	cfg := aws.Config{Region: "us-east-1", Credentials: credentials.NewStaticCredentialsProvider("id", "secret", "")}
	o, err := NewObject(cfg, "s3://bucket/"+key, b.URL, "-score")
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// An object whose body breaks off again and again is read whole, each byte once.
func TestABodyThatBreaksOffGoesOn(t *testing.T) {
	const text = "0123456789abcdefghij"
	b := newBucket(t, text)
	o := b.at(t, "rides//a b.jsonl")
	about, err := o.Stat(t.Context())
	if err != nil || about.Bytes != 20 || about.Tag != `"one"` || about.Metadata["run"] != "run1" {
		t.Fatalf("%+v, %v", about, err)
	}
	b.cut, b.gets = 8, nil
	for offset := range len(text) + 1 {
		r, err := o.OpenAt(t.Context(), about, int64(offset))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(r); string(got) != text[offset:] || err != nil {
			t.Errorf("from %d on: %q, %v", offset, got, err)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
		if offset == 0 && fmt.Sprint(b.gets) != "[ bytes=8- bytes=16-]" {
			t.Errorf("asked for %q", b.gets)
		}
	}
}

func TestABodyThatIsAnotherNow(t *testing.T) {
	b := newBucket(t, "0123456789")
	o := b.at(t, "rides.jsonl")
	about, err := o.Stat(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	b.cut = 4
	r, err := o.OpenAt(t.Context(), about, 0)
	if err != nil {
		t.Fatal(err)
	}
	b.mu.Lock()
	b.tag = `"two"`
	b.mu.Unlock()
	if got, err := io.ReadAll(r); string(got) != "0123" || !errors.Is(err, ErrConflict) || hint.Of(err) == "" {
		t.Errorf("%q, %v", got, err)
	}
	b.mu.Lock()
	b.tag, b.deaf = `"one"`, true
	b.mu.Unlock()
	if _, err := o.OpenAt(t.Context(), about, 3); err == nil || !strings.Contains(err.Error(), "from byte 3 on") {
		t.Errorf("a server without ranges: %v", err)
	}
}

func TestAnObjectIsWrittenOnce(t *testing.T) {
	b := newBucket(t, "")
	b.object = nil
	o := b.at(t, "out.jsonl")
	if _, err := o.Stat(t.Context()); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	for n, anew := range []bool{false, true} {
		if err := o.Write(t.Context(), strings.NewReader("{}\n"), map[string]string{"run": "run1"}, anew); err != nil || string(b.object) != "{}\n" {
			t.Errorf("%d: %q, %v", n, b.object, err)
		}
	}
	if b.written["run"] != "run1" || b.written["path"] != "/bucket/out.jsonl" {
		t.Error(b.written)
	}
	if err := o.Write(t.Context(), strings.NewReader("[]\n"), nil, false); !errors.Is(err, ErrConflict) || string(b.object) != "{}\n" {
		t.Errorf("%q, %v", b.object, err)
	}
	o.put = 3
	if err := o.Write(t.Context(), bytes.NewReader(make([]byte, 4)), nil, true); err == nil || hint.Of(err) == "" {
		t.Errorf("too large: %v", err)
	}
}

func TestNewObjectRefuses(t *testing.T) {
	for _, place := range []string{"", "rides.jsonl", "s3://", "s3://bucket", "s3://bucket/", "s3://bucket/a/", "s3:///key", "s3://Bucket/key", "s3:/bucket/key"} {
		if _, err := NewObject(aws.Config{}, place, "", "-score"); err == nil || hint.Of(err) == "" {
			t.Errorf("%q is taken: %v", place, err)
		}
	}
}
