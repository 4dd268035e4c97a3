//go:build image

package image

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"time"

	"github.com/skiff-ml/skiff/cmd/internal/lambdatest/ministack"
)

// failures tests what cannot work: one line in the log, and an error answer.
func (t *tester) failures(ctx context.Context) error {
	newer := filepath.Join(t.temp, "newer")
	if err := os.Mkdir(newer, 0o755); err != nil { // read as another user
		return err
	}
	if err := os.WriteFile(filepath.Join(newer, "manifest.json"), []byte(`{"format": 99}`), 0o644); err != nil {
		return err
	}
	denying := t.denying()
	forest := t.runs["forest"]
	for _, test := range []struct {
		what, reason string
		options      []string
	}{
		{"a wrong RUN_ID, no bucket", "no bundle of run " + noRun, []string{"-e", "RUN_ID=" + noRun}},
		{"a wrong RUN_ID, in S3", "no bundle of run " + noRun, t.aws(noRun)},
		{"no such bucket", "NoSuchBucket", t.aws(forest, "MODEL_BUCKET=no-such-bucket")},
		{"no access to S3", "AccessDenied", t.aws(forest, "S3_ENDPOINT_URL="+denying)},
		{"no S3 at all", "connection refused", t.aws(forest, "S3_ENDPOINT_URL=http://"+freeAddress())},
		{"no credentials", "finding AWS credentials", []string{"-e", "RUN_ID=" + forest, "-e", "MODEL_BUCKET=" + bucket, "-e", "AWS_REGION=" + ministack.Region}},
		{"a bundle of a newer format", "format 99", []string{"-e", "MODEL_LOCATION=/newer", "-v", newer + ":/newer:ro"}},
		{"no such stream", "ResourceNotFoundException", t.aws(forest, "PREDICTIONS_STREAM_NAME=no-such-stream")},
		{"no access to the stream", "AccessDeniedException", t.aws(forest, "KINESIS_ENDPOINT_URL="+denying)},
	} {
		c, err := t.startFunction(ctx, plain, test.options...)
		if err != nil {
			return err
		}
		err = errors.Join(c.fails(ctx, t.event, test.reason), c.logged(ctx, test.reason))
		took := time.Since(c.began)
		c.remove(ctx)
		if err != nil {
			return fmt.Errorf("%s: %w", test.what, err)
		}
		t.passed("%s: one line in the log and an error, after %.1f s", test.what, took.Seconds())
	}
	return nil
}

// denying is a server that lets nobody in, as S3 and as Kinesis say it.
func (t *tester) denying() string {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Amz-Target") != "" {
			w.Header().Set("Content-Type", "application/x-amz-json-1.1")
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, `{"__type":"AccessDeniedException","Message":"not authorized to perform: kinesis:PutRecords"}`)
			return
		}
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, `<?xml version="1.0"?><Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>`)
	}))
	t.t.Cleanup(server.Close)
	return server.URL
}
