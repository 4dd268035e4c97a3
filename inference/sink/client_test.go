package sink

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/skiff-ml/skiff/inference"
	"github.com/skiff-ml/skiff/inference/hint"
)

// These are tests of the SDK's clients as they are set here, with real HTTP.

func sdk() aws.Config {
	return aws.Config{Region: "us-east-1", Credentials: credentials.NewStaticCredentialsProvider("id", "secret", ""), HTTPClient: http.DefaultClient}
}

// sinks are a stream and a queue behind one endpoint.
func sinks(cfg aws.Config, endpoint string) map[string]inference.Sink {
	return map[string]inference.Sink{
		"stream": NewKinesis(cfg, Stream{name: "predictions"}, endpoint, "PREDICTIONS_STREAM_NAME"),
		"queue":  NewSQS(cfg, Queue{name: "letters", url: "https://sqs.us-east-1.amazonaws.com/000000000000/letters"}, endpoint, "DEAD_LETTER"),
	}
}

// taken is the answer of a service that takes all of a request.
func taken(request []byte) string {
	var in struct {
		Records []struct{}
		Entries []struct{ ID string }
	}
	if err := json.Unmarshal(request, &in); err != nil {
		return err.Error()
	}
	if in.Records != nil {
		return `{"FailedRecordCount":0,"Records":[` + strings.TrimSuffix(strings.Repeat(`{"SequenceNumber":"1"},`, len(in.Records)), ",") + `]}`
	}
	out := `{"Failed":[],"Successful":[`
	for i, e := range in.Entries {
		if i > 0 {
			out += ","
		}
		out += `{"Id":"` + e.ID + `","MessageId":"m","MD5OfMessageBody":""}`
	}
	return out + `]}`
}

type doFunc func(*http.Request) (*http.Response, error)

func (f doFunc) Do(r *http.Request) (*http.Response, error) { return f(r) }

// The SDK closes a body while the transport may still look for its end: each
// sink's client has bodies that know where they end.
func TestABodyThatIsClosedHasEnded(t *testing.T) {
	calls := 0
	cfg := sdk()
	cfg.HTTPClient = doFunc(func(r *http.Request) (*http.Response, error) {
		calls++
		request := make([]byte, r.ContentLength)
		if _, err := io.ReadFull(r.Body, request); err != nil {
			t.Error(err)
		}
		if err := r.Body.Close(); err != nil {
			t.Error(err)
		}
		if n, err := io.Copy(io.Discard, r.Body); n != 0 || err != nil { // as the transport looks for more
			t.Errorf("after it was closed: %d bytes, %v", n, err)
		}
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(taken(request)))}, nil
	})
	for name, s := range sinks(cfg, "http://localhost") {
		if failed, err := s.Put(t.Context(), messages); len(failed) > 0 || err != nil {
			t.Errorf("%s: %v, %v", name, failed, err)
		}
	}
	if calls != 2 {
		t.Errorf("%d calls", calls)
	}
}

// A service whose clock is an hour ahead, or behind, refuses the first
// request. The second one has its time, and so has every one after.
func TestAWrongClockIsCorrected(t *testing.T) {
	for name, ahead := range map[string]time.Duration{"behind": time.Hour, "ahead": -time.Hour} {
		for _, kind := range []string{"stream", "queue"} {
			t.Run(name+"/"+kind, func(t *testing.T) {
				var mu sync.Mutex
				var signed []time.Duration // how far each request's time was off
				server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					now := time.Now().Add(ahead)
					at, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
					if err != nil {
						t.Error(err)
					}
					off := at.Sub(now)
					mu.Lock()
					signed = append(signed, off)
					mu.Unlock()
					w.Header().Set("Date", now.UTC().Format(http.TimeFormat))
					request, err := io.ReadAll(r.Body)
					if err != nil || len(request) == 0 {
						t.Errorf("request of %d bytes, %v", len(request), err)
					}
					if off.Abs() > 5*time.Minute {
						w.WriteHeader(http.StatusBadRequest)
						_, _ = io.WriteString(w, `{"__type":"InvalidSignatureException","message":"Signature expired: it is now later"}`)
						return
					}
					_, _ = io.WriteString(w, taken(request))
				}))
				defer server.Close()
				s := sinks(sdk(), server.URL)[kind]
				for range 2 {
					if failed, err := s.Put(t.Context(), messages); len(failed) > 0 || err != nil {
						t.Fatalf("%v, %v", failed, err)
					}
				}
				mu.Lock()
				defer mu.Unlock()
				if len(signed) != 3 || signed[0].Abs() < 50*time.Minute || signed[1].Abs() > time.Minute || signed[2].Abs() > time.Minute {
					t.Errorf("the requests were off by %v", signed)
				}
			})
		}
	}
}

// A service that refuses the corrected time as well is not asked a third time.
func TestAWrongClockIsCorrectedOnce(t *testing.T) {
	var calls atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Date", time.Now().Add(time.Duration(calls.Add(1))*time.Hour).UTC().Format(http.TimeFormat))
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"__type":"InvalidSignatureException","message":"Signature not yet current: wait"}`)
	}))
	defer server.Close()
	_, err := sinks(sdk(), server.URL)["stream"].Put(t.Context(), messages)
	if calls.Load() != 2 || !errors.Is(err, inference.ErrPermanent) || !strings.Contains(hint.Of(err), "clock") {
		t.Errorf("%d calls, %v, hint %q", calls.Load(), err, hint.Of(err))
	}
}

// What a service says, or does not say, is told from what the SDK refuses to
// ask: nothing that it says once more will mend that.
func TestWhoseFaultItIs(t *testing.T) {
	answer := func(status int, body string) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) {
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}
	}
	cut := func(w http.ResponseWriter) {
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, `{"Failed`)
	}
	down := func(http.ResponseWriter) { panic(http.ErrAbortHandler) }
	for name, test := range map[string]struct {
		set       func(*aws.Config, *string)
		answer    func(http.ResponseWriter)
		permanent bool
		hint      string
	}{
		"unavailable":        {nil, answer(503, "<html>no</html>"), false, ""},
		"a proxy's page":     {nil, answer(200, "<html>hello</html>"), false, ""},
		"an answer in part":  {nil, cut, false, ""},
		"a lost connection":  {nil, down, false, ""},
		"expired":            {nil, answer(400, `{"__type":"ExpiredTokenException","message":"The security token is expired"}`), true, "expired"},
		"denied":             {nil, answer(400, `{"__type":"AccessDeniedException","message":"User is not authorized"}`), true, "the role needs "},
		"no region":          {func(c *aws.Config, e *string) { c.Region, *e = "", "" }, nil, true, "AWS_REGION"},
		"a region of spaces": {func(c *aws.Config, e *string) { c.Region, *e = "us east 1", "" }, nil, true, "AWS_REGION"},
		"no credentials": {func(c *aws.Config, _ *string) {
			c.Credentials = credentials.NewStaticCredentialsProvider("", "", "")
		}, nil, true, "credentials"},
		"an odd endpoint": {func(_ *aws.Config, e *string) { *e = "http://[::1" }, nil, true, "no request could be made"},
		"nobody there":    {func(_ *aws.Config, e *string) { *e = "http://127.0.0.1:1" }, nil, false, ""},
		"credentials are not to be had now": {func(c *aws.Config, _ *string) {
			c.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return aws.Credentials{}, context.DeadlineExceeded })
		}, nil, false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var calls atomic.Int32
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				calls.Add(1)
				_, _ = io.Copy(io.Discard, r.Body)
				if test.answer == nil {
					t.Error("a request was made")
					return
				}
				test.answer(w)
			}))
			defer server.Close()
			cfg, endpoint := sdk(), server.URL
			if test.set != nil {
				test.set(&cfg, &endpoint)
			}
			for kind, s := range sinks(cfg, endpoint) {
				calls.Store(0)
				failed, err := s.Put(t.Context(), messages)
				if failed != nil || err == nil || errors.Is(err, inference.ErrPermanent) != test.permanent {
					t.Errorf("%s: got %v, %v", kind, failed, err)
				}
				if got := hint.Of(err); !strings.Contains(got, test.hint) || (got == "") != (test.hint == "") {
					t.Errorf("%s: %v: hint %q", kind, err, got)
				}
				if calls.Load() > 1 {
					t.Errorf("%s: %d calls", kind, calls.Load())
				}
			}
		})
	}
}

func TestACertificateThatIsNotTrusted(t *testing.T) {
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	for kind, s := range sinks(sdk(), server.URL) {
		_, err := s.Put(t.Context(), messages)
		if !errors.Is(err, inference.ErrPermanent) || !strings.Contains(hint.Of(err), "AWS_CA_BUNDLE") {
			t.Errorf("%s: got %v, hint %q", kind, err, hint.Of(err))
		}
	}
}

// Of an ARN the region and the account are used, wherever the worker is.
func TestAnARNSaysWhere(t *testing.T) {
	stream, err := ParseStream("arn:aws:kinesis:eu-west-1:123456789012:stream/predictions")
	if err != nil {
		t.Fatal(err)
	}
	queue, err := ParseQueue("arn:aws:sqs:eu-west-1:123456789012:letters")
	if err != nil {
		t.Fatal(err)
	}
	var hosts, bodies []string
	cfg := sdk()
	cfg.HTTPClient = doFunc(func(r *http.Request) (*http.Response, error) {
		request, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		hosts, bodies = append(hosts, r.URL.Host), append(bodies, string(request))
		if !strings.Contains(r.Header.Get("Authorization"), "/eu-west-1/") {
			t.Errorf("signed for %s", r.Header.Get("Authorization"))
		}
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(taken(request)))}, nil
	})
	for _, s := range []inference.Sink{NewKinesis(cfg, stream, "", "V"), NewSQS(cfg, queue, "", "V")} {
		if failed, err := s.Put(t.Context(), messages); len(failed) > 0 || err != nil {
			t.Fatalf("%v, %v", failed, err)
		}
	}
	if !strings.HasSuffix(hosts[0], "kinesis.eu-west-1.amazonaws.com") || !strings.Contains(bodies[0], `"StreamARN":"arn:aws:kinesis:eu-west-1:123456789012:stream/predictions"`) ||
		strings.Contains(bodies[0], "StreamName") {
		t.Errorf("%s: %s", hosts[0], bodies[0])
	}
	if hosts[1] != "sqs.eu-west-1.amazonaws.com" || !strings.Contains(bodies[1], `"QueueUrl":"https://sqs.eu-west-1.amazonaws.com/123456789012/letters"`) {
		t.Errorf("%s: %s", hosts[1], bodies[1])
	}
}
