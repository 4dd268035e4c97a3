package trace

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// An upload sends spans to a collector in one request, by OTLP over HTTP. It is
// not OpenTelemetry's own client, which has gRPC in it: eight megabytes more, of
// a worker that has six.
type upload struct {
	*config
	client *http.Client
}

var _ otlptrace.Client = (*upload)(nil)

// Start implements [otlptrace.Client].
func (*upload) Start(context.Context) error { return nil }

// Stop implements [otlptrace.Client].
func (*upload) Stop(context.Context) error { return nil }

// UploadTraces implements [otlptrace.Client].
func (u *upload) UploadTraces(ctx context.Context, spans []*tracepb.ResourceSpans) error {
	body, err := proto.Marshal(&tracepb.TracesData{ResourceSpans: spans}) // on the wire it is an ExportTraceServiceRequest
	if err != nil {
		return err
	}
	if u.gzip {
		var packed bytes.Buffer
		w := gzip.NewWriter(&packed)
		_, _ = w.Write(body) // into memory, where it cannot fail
		_ = w.Close()
		body = packed.Bytes()
	}
	ctx, cancel := context.WithTimeout(ctx, u.timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, u.endpoint, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header["Idempotency-Key"] = nil // nothing is sent of it: net/http asks again where a collector has closed a connection since the last upload
	request.Header.Set("Content-Type", "application/x-protobuf")
	if u.gzip {
		request.Header.Set("Content-Encoding", "gzip")
	}
	for key, value := range u.headers {
		request.Header.Set(key, value)
	}
	response, err := u.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 1<<16))
	if response.StatusCode/100 != 2 {
		return fmt.Errorf("the collector answers %s", response.Status)
	}
	return nil
}
