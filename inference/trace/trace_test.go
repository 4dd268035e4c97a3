package trace

import (
	"compress/gzip"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.opentelemetry.io/otel/trace"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/skiff-ml/skiff/inference"
	"github.com/skiff-ml/skiff/inference/hint"
	"github.com/skiff-ml/skiff/inference/observe"
)

// env is an environment.
func env(pairs ...string) func(string) string {
	return func(name string) string {
		for _, pair := range pairs {
			if value, ok := strings.CutPrefix(pair, name+"="); ok {
				return value
			}
		}
		return ""
	}
}

func TestConfig(t *testing.T) {
	for _, c := range []struct {
		name string
		env  []string
		want string // the endpoint; off where it is none
		err  string
	}{
		{name: "off without a word"},
		{name: "none", env: []string{"OTEL_TRACES_EXPORTER=none", "OTEL_EXPORTER_OTLP_ENDPOINT=http://c"}},
		{name: "disabled", env: []string{"OTEL_TRACES_EXPORTER=otlp", "OTEL_SDK_DISABLED=TRUE"}},
		{name: "an exporter", env: []string{"OTEL_TRACES_EXPORTER=otlp"}, want: "http://localhost:4318/v1/traces"},
		{name: "an endpoint", env: []string{"OTEL_EXPORTER_OTLP_ENDPOINT=https://c:1/a/"}, want: "https://c:1/a/v1/traces"},
		{name: "traces' own", env: []string{"OTEL_EXPORTER_OTLP_ENDPOINT=http://c", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://d/x"}, want: "http://d/x"},
		{name: "traces' own protocol", env: []string{"OTEL_TRACES_EXPORTER=otlp", "OTEL_EXPORTER_OTLP_PROTOCOL=grpc", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL=http/protobuf"}, want: "http://localhost:4318/v1/traces"},
		{name: "zipkin", env: []string{"OTEL_TRACES_EXPORTER=zipkin"}, err: "OTEL_TRACES_EXPORTER"},
		{name: "grpc", env: []string{"OTEL_TRACES_EXPORTER=otlp", "OTEL_EXPORTER_OTLP_PROTOCOL=grpc"}, err: "OTEL_EXPORTER_OTLP_PROTOCOL"},
		{name: "no URL", env: []string{"OTEL_EXPORTER_OTLP_ENDPOINT=localhost:4318"}, err: "OTEL_EXPORTER_OTLP_ENDPOINT"},
		{name: "no time", env: []string{"OTEL_TRACES_EXPORTER=otlp", "OTEL_EXPORTER_OTLP_TIMEOUT=1s"}, err: "OTEL_EXPORTER_OTLP_TIMEOUT"},
		{name: "brotli", env: []string{"OTEL_TRACES_EXPORTER=otlp", "OTEL_EXPORTER_OTLP_COMPRESSION=br"}, err: "OTEL_EXPORTER_OTLP_COMPRESSION"},
		{name: "no header", env: []string{"OTEL_TRACES_EXPORTER=otlp", "OTEL_EXPORTER_OTLP_HEADERS=sesame"}, err: "OTEL_EXPORTER_OTLP_HEADERS"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := readConfig(env(c.env...))
			switch {
			case c.err != "":
				if err == nil || !strings.Contains(err.Error(), c.err) || hint.Of(err) == "" || strings.Contains(err.Error(), "sesame") {
					t.Errorf("got %v", err)
				}
			case err != nil || (got == nil) != (c.want == ""):
				t.Errorf("got %+v, %v", got, err)
			case got != nil && got.endpoint != c.want:
				t.Errorf("got %s, want %s", got.endpoint, c.want)
			}
		})
	}
}

func TestXRayHeader(t *testing.T) {
	const root, id = "Root=1-5759e988-bd862e3fe1be46a994272793", "5759e988bd862e3fe1be46a994272793"
	for header, want := range map[string]struct {
		valid, sampled bool
	}{
		root + ";Parent=53995c3f42cd8ad8;Sampled=1":                        {true, true},
		"Sampled=0; " + root + ";Lineage=1:2|3:4;Parent=53995c3f42cd8ad8":  {true, false},
		root + ";Parent=53995c3f42cd8ad8":                                  {true, false},
		root + ";Sampled=1":                                                {},
		"Root=2-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8": {},
		"Root=1-5759e98-8bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8": {},
		"Root=1-5759e988-bd862e3fe1be46a99427279x;Parent=53995c3f42cd8ad8": {},
		"": {},
	} {
		span, ok := parseXRay(header)
		if ok != want.valid || ok && (span.TraceID().String() != id || span.SpanID().String() != "53995c3f42cd8ad8" || span.IsSampled() != want.sampled) {
			t.Errorf("%s: %v, %v", header, span, ok)
		}
	}
	ctx := t.Context()
	if parent(ctx) != ctx || parent(WithHeader(ctx, "")) != ctx || parent(WithHeader(ctx, "x")) == nil {
		t.Error("without a header there is no parent")
	}
}

// collector is a stand-in that hands out what it is sent.
func collector(t *testing.T, status int) (url string, sent chan *tracepb.ResourceSpans) {
	t.Helper()
	sent = make(chan *tracepb.ResourceSpans, 100)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := io.Reader(r.Body)
		if r.Header.Get("Content-Encoding") == "gzip" {
			var err error
			if body, err = gzip.NewReader(body); err != nil {
				t.Error(err)
				return
			}
		}
		data, err := io.ReadAll(body)
		var traces tracepb.TracesData
		if err = errors.Join(err, proto.Unmarshal(data, &traces)); err != nil || r.URL.Path != "/v1/traces" || r.Header.Get("Api-Key") != "a b" {
			t.Errorf("%s %v: %v", r.URL, r.Header, err)
		}
		for _, spans := range traces.GetResourceSpans() {
			sent <- spans
		}
		w.WriteHeader(status)
	}))
	t.Cleanup(server.Close)
	return server.URL, sent
}

// An invocation is a span, in the trace that Lambda names, and its stages are
// below it, one behind the other.
func TestSpans(t *testing.T) {
	for _, compression := range []string{"none", "gzip"} {
		url, sent := collector(t, http.StatusOK)
		tracer, err := New(t.Context(), env("OTEL_EXPORTER_OTLP_ENDPOINT="+url, "OTEL_EXPORTER_OTLP_HEADERS=api-key=a%20b", "OTEL_EXPORTER_OTLP_COMPRESSION="+compression),
			"rides", slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		ctx := WithHeader(t.Context(), "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1")
		ctx, end := tracer.Begin(ctx, "request1")
		if inference.TraceOf(ctx) != "5759e988bd862e3fe1be46a994272793" {
			t.Errorf("its trace is %q", inference.TraceOf(ctx))
		}
		b := &inference.Batch{}
		b.Reset(20)
		for i := range 12 {
			b.Items[i].Sequence = []byte{'a' + byte(i)}
			b.Reject(i, &inference.Rejection{Reason: inference.MissingField, Field: "ride"})
		}
		b.Timing = inference.Timing{Decode: 1, Encode: 2, Score: 3, Respond: 4, Publish: 5}
		now := time.Unix(1000, 100)
		tracer.Trace(ctx, b, &observe.Measurement{RunID: "run1", Records: 20, Predictions: 8}, now)
		end(errors.New("no such stream"))

		got := <-sent
		var spans []*tracepb.Span
		for _, scope := range got.GetScopeSpans() {
			spans = append(spans, scope.GetSpans()...)
		}
		if len(spans) != 6 || !strings.Contains(got.GetResource().String(), "rides") {
			t.Fatalf("got %v", got)
		}
		root := spans[len(spans)-1]
		for _, text := range []string{"request1", "run1", "missing_field", "no such stream"} {
			if !strings.Contains(root.String(), text) {
				t.Errorf("without %s: %v", text, root)
			}
		}
		if root.GetName() != "rides" || len(root.GetEvents()) != maxEvents || root.GetKind() != tracepb.Span_SPAN_KIND_CONSUMER ||
			trace.SpanID(root.GetParentSpanId()).String() != "53995c3f42cd8ad8" {
			t.Errorf("got %v", root)
		}
		ends := uint64(now.UnixNano())
		for i, name := range []string{"publish", "respond", "score", "encode", "decode"} {
			s := spans[i]
			if s.GetName() != name || s.GetEndTimeUnixNano() != ends || s.GetStartTimeUnixNano() != ends-uint64(5-i) || string(s.GetParentSpanId()) != string(root.GetSpanId()) {
				t.Errorf("%s is %v", name, s)
			}
			ends = s.GetStartTimeUnixNano()
		}
	}
}

// A function is frozen between invocations, and learns of a connection that was
// closed meanwhile when it sends: no trace is lost by that.
func TestAConnectionThatWasClosed(t *testing.T) {
	var kept atomic.Bool // the connection has had a request
	var sent atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if len(r.Header["Idempotency-Key"]) > 0 {
			t.Error("it has a key")
		}
		if sent.Load() == 1 && kept.CompareAndSwap(true, false) {
			panic(http.ErrAbortHandler)
		}
		sent.Add(1)
		kept.Store(true)
	}))
	defer server.Close()
	var log strings.Builder
	tracer, err := New(t.Context(), env("OTEL_EXPORTER_OTLP_ENDPOINT="+server.URL, "OTEL_EXPORTER_OTLP_TIMEOUT=60000"), "rides", slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		_, end := tracer.Begin(t.Context(), "")
		end(nil)
	}
	if sent.Load() != 3 || log.Len() > 0 {
		t.Errorf("sent %d times: %s", sent.Load(), &log)
	}
}

// A collector that does not take spans costs one invocation its time, not each;
// and what is not sampled, or not asked for, is nothing.
func TestNoSpans(t *testing.T) {
	url, sent := collector(t, http.StatusServiceUnavailable)
	var log strings.Builder
	tracer, err := New(t.Context(), env("OTEL_EXPORTER_OTLP_ENDPOINT="+url, "OTEL_EXPORTER_OTLP_HEADERS=api-key=a%20b"), "rides", slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	_, end := tracer.Begin(WithHeader(t.Context(), "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0"), "")
	end(nil)
	for range 3 {
		ctx, end := tracer.Begin(t.Context(), "")
		tracer.Trace(ctx, &inference.Batch{}, &observe.Measurement{}, time.Now())
		end(nil)
	}
	if len(sent) != 1 || strings.Count(log.String(), "503 Service Unavailable") != 1 {
		t.Errorf("sent %d times: %s", len(sent), &log)
	}
	var none *Tracer
	ctx := inference.WithTrace(t.Context(), "none")
	same, end := none.Begin(ctx, "")
	end(nil)
	if same != ctx {
		t.Error("without a tracer the context changes")
	}
}
