package trace

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/skiff-ml/skiff/inference/hint"
)

// The variables are OpenTelemetry's, and mean what its specification says:
// https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
// and https://opentelemetry.io/docs/specs/otel/protocol/exporter/. Those of the
// sampler and of the resource the SDK reads itself.

// uploadTime is what an upload may take where OTEL_EXPORTER_OTLP_TIMEOUT does not
// say it. It is less than OpenTelemetry's 10 s: in Lambda the invocation waits.
const uploadTime = time.Second

// A config is what the variables say.
type config struct {
	endpoint string
	headers  map[string]string
	timeout  time.Duration
	gzip     bool
}

// readConfig returns nil where nobody asks for traces: an exporter or an endpoint
// has to be set, unlike in OpenTelemetry's default, by which each program talks
// to a collector on its own machine.
func readConfig(getenv func(string) string) (*config, error) {
	of := func(name string) string { // of traces, or of all signals
		if v := getenv("OTEL_EXPORTER_OTLP_TRACES_" + name); v != "" {
			return v
		}
		return getenv("OTEL_EXPORTER_OTLP_" + name)
	}
	exporter := getenv("OTEL_TRACES_EXPORTER")
	if strings.EqualFold(getenv("OTEL_SDK_DISABLED"), "true") || exporter == "none" || exporter == "" && of("ENDPOINT") == "" {
		return nil, nil
	}
	if exporter != "" && exporter != "otlp" {
		return nil, hint.With(fmt.Errorf("OTEL_TRACES_EXPORTER is %q", exporter), "it is otlp, or none")
	}
	if p := of("PROTOCOL"); p != "" && p != "http/protobuf" {
		return nil, hint.With(fmt.Errorf("OTEL_EXPORTER_OTLP_PROTOCOL is %q", p), "it is http/protobuf, which collectors take on port 4318")
	}
	c := &config{timeout: uploadTime}
	switch compression := of("COMPRESSION"); compression {
	case "", "none", "gzip":
		c.gzip = compression == "gzip"
	default:
		return nil, hint.With(fmt.Errorf("OTEL_EXPORTER_OTLP_COMPRESSION is %q", compression), "it is gzip, or none")
	}
	if ms := of("TIMEOUT"); ms != "" {
		n, err := strconv.Atoi(ms)
		if err != nil || n <= 0 {
			return nil, hint.With(fmt.Errorf("OTEL_EXPORTER_OTLP_TIMEOUT is %q", ms), "it is a number of milliseconds, such as 1000")
		}
		c.timeout = time.Duration(n) * time.Millisecond
	}
	var err error
	if c.endpoint, err = readEndpoint(getenv); err != nil {
		return nil, err
	}
	c.headers, err = readHeaders(of("HEADERS"))
	return c, err
}

// readEndpoint returns where traces go: the traces' own endpoint as it is, that
// of all signals with the traces' path behind it.
func readEndpoint(getenv func(string) string) (string, error) {
	endpoint := getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
	if endpoint == "" {
		endpoint = getenv("OTEL_EXPORTER_OTLP_ENDPOINT")
		if endpoint == "" {
			endpoint = "http://localhost:4318"
		}
		endpoint = strings.TrimSuffix(endpoint, "/") + "/v1/traces"
	}
	u, err := url.Parse(endpoint)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return "", hint.With(errors.New("OTEL_EXPORTER_OTLP_ENDPOINT is not a URL"), "it is one such as http://localhost:4318")
	}
	return endpoint, nil
}

// readHeaders reads key1=value1,key2=value2, the values as in a URL. What is in
// them may be a secret, and is in no error.
func readHeaders(list string) (map[string]string, error) {
	headers := map[string]string{}
	for pair := range strings.SplitSeq(list, ",") {
		if strings.TrimSpace(pair) == "" {
			continue
		}
		key, value, ok := strings.Cut(pair, "=")
		text, err := url.PathUnescape(strings.TrimSpace(value))
		if !ok || err != nil || strings.TrimSpace(key) == "" {
			return nil, hint.With(errors.New("OTEL_EXPORTER_OTLP_HEADERS is not a list of headers"), "it is one such as api-key=abc,tenant=rides")
		}
		headers[strings.TrimSpace(key)] = text
	}
	return headers, nil
}
