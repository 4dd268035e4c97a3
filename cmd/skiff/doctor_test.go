package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// A cloud is as much of AWS as is asked, and what the variables lead to.
func cloud(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := make([]byte, 4096)
		n, _ := r.Body.Read(body)
		asked := r.Header.Get("X-Amz-Target") + " " + r.Method + " " + r.URL.Path + " " + string(body[:n])
		answer := func(status int, says string) {
			w.Header().Set("Content-Type", "application/x-amz-json-1.1")
			w.WriteHeader(status)
			_, _ = w.Write([]byte(says))
		}
		has := func(text string) bool { return strings.Contains(asked, text) }
		switch {
		case has("/lost"), has("missing"):
			answer(http.StatusBadRequest, `{"__type": "ResourceNotFoundException", "message": "not found"}`)
		case has("HEAD /gone"):
			answer(http.StatusNotFound, "")
		case has("HEAD /closed"):
			answer(http.StatusForbidden, "")
		case has("closed"):
			answer(http.StatusBadRequest, `{"__type": "AccessDeniedException", "message": "no"}`)
		case has("expired"):
			answer(http.StatusBadRequest, `{"__type": "ExpiredTokenException", "message": "the token is expired"}`)
		case has("DescribeStreamSummary"):
			status := "ACTIVE"
			if has("young") {
				status = "CREATING"
			}
			answer(http.StatusOK, `{"StreamDescriptionSummary": {"StreamStatus": "`+status+`"}}`)
		case has("AmazonSQS.GetQueueUrl") && has("letters"):
			answer(http.StatusOK, `{"QueueUrl": "http://localhost/1/letters"}`)
		case has("AmazonSQS.GetQueueAttributes") && has("/1/letters"):
			answer(http.StatusOK, `{"Attributes": {}}`)
		case has("AmazonSQS"):
			answer(http.StatusBadRequest, `{"__type": "com.amazonaws.sqs#QueueDoesNotExist", "message": "no such queue"}`)
		case has("HEAD /models"):
			answer(http.StatusOK, "")
		default:
			answer(http.StatusInternalServerError, `{"__type": "InternalFailure"}`)
		}
	}))
	t.Cleanup(server.Close)
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "us-east-1", "AWS_ENDPOINT_URL": server.URL,
		"AWS_CONFIG_FILE": t.TempDir() + "/none", "AWS_SHARED_CREDENTIALS_FILE": t.TempDir() + "/none",
	} {
		t.Setenv(name, value)
	}
	return server.URL
}

func TestServices(t *testing.T) {
	at := cloud(t)
	for _, tt := range []struct {
		stream, letters, bucket string
		want                    []string
	}{
		{"rides", "sqs://letters", "models", []string{
			"ok AWS region us-east-1, and credentials", "ok predictions stream rides is there", "ok dead letters sqs://letters is there", "ok bucket s3://models is there",
		}},
		{"arn:aws:kinesis:eu-west-1:123456789012:stream/rides", "kinesis://letters", "", []string{
			"ok predictions stream arn:aws:kinesis:eu-west-1:123456789012:stream/rides is there", "ok dead letters kinesis://letters is there",
		}},
		{"young", "s3://models/letters", "closed", []string{
			"wrong predictions stream young is creating; hint: it takes records", "ok dead letters s3://models/letters is there",
			"note bucket nobody here may ask whether s3://closed is there: Forbidden",
		}},
		{"missing", "sqs://none", "gone", []string{
			"wrong predictions stream missing is not there; hint: create it, or correct PREDICTIONS_STREAM_NAME", "wrong dead letters sqs://none is not there; hint: create it, or correct DEAD_LETTER",
			"wrong bucket s3://gone is not there; hint: create it, or correct MODEL_BUCKET",
		}},
		{"closed", "sqs://" + at + "/1/letters", "", []string{
			"note predictions nobody here may ask whether stream closed is there: AccessDeniedException: no", "ok dead letters sqs://http",
		}},
		{"expired", "sqs://arn:aws:sqs:eu-west-1:123456789012:letters", "", []string{
			"wrong predictions stream expired cannot be reached: ExpiredTokenException: the token is expired; hint: look at", "ok dead letters sqs://arn",
		}},
		{"", "nonsense", "", []string{"note predictions PREDICTIONS_STREAM_NAME is not set", `wrong dead letters "nonsense" is no place for dead letters; hint: it is kinesis://`}},
	} {
		checkFindings(t, map[string]string{"PREDICTIONS_STREAM_NAME": tt.stream, "DEAD_LETTER": tt.letters, "MODEL_BUCKET": tt.bucket}, tt.want)
	}
	checkFindings(t, map[string]string{"PREDICTIONS_STREAM_NAME": "missing", "TEST_RUN": "True"}, []string{"note predictions TEST_RUN is True: nothing is published"})
	checkFindings(t, map[string]string{"PREDICTIONS_STREAM_NAME": "rides", "KINESIS_ENDPOINT_URL": "http://127.0.0.1:1"}, []string{
		"note dead letters DEAD_LETTER is not set", "wrong predictions stream rides cannot be reached: ",
	})
	t.Setenv("AWS_REGION", "")
	checkFindings(t, map[string]string{"PREDICTIONS_STREAM_NAME": "rides"}, []string{"wrong AWS no AWS region is set; hint: set AWS_REGION"})
	t.Setenv("AWS_REGION", "us-east-1")
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	checkFindings(t, map[string]string{"PREDICTIONS_STREAM_NAME": "rides"}, []string{"wrong AWS finding AWS credentials: "})
}

// checkFindings examines the services with those variables, and expects findings
// that begin like these.
func checkFindings(t *testing.T, variables map[string]string, want []string) {
	t.Helper()
	s := &settings{getenv: func(name string) string { return variables[name] }}
	var got strings.Builder
	for _, f := range s.examineServices(t.Context()) {
		got.WriteString("\n" + f.verdict + " " + f.subject + " " + f.says)
		if f.hint != "" {
			got.WriteString("; hint: " + f.hint)
		}
		if f.verdict == wrong && f.hint == "" {
			t.Errorf("%v: %s is wrong, and there is nothing to do", variables, f.subject)
		}
	}
	for _, w := range want {
		if !strings.Contains(got.String(), "\n"+w) {
			t.Errorf("%v: no finding %q in%s", variables, w, got.String())
		}
	}
}

func TestNearest(t *testing.T) {
	known := []string{"RUN_ID", "PREDICTIONS_STREAM_NAME", "METRICS"}
	for name, want := range map[string]string{
		"PREDICTION_STREAM_NAME": "PREDICTIONS_STREAM_NAME", "PREDICTIONS_STRAEM_NAME": "PREDICTIONS_STREAM_NAME", "METRIC": "METRICS",
		"RUN": "", "PATH": "", "STREAM_NAME": "", "AWS_RUN_ID": "",
	} {
		if got := nearest(name, known); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

// A worker that is no worker is one finding, and the services are asked all the same.
func TestNoWorker(t *testing.T) {
	s := &settings{worker: "/nowhere/worker", getenv: func(string) string { return "" }}
	findings := s.examine(t.Context(), "", 0)
	if len(findings) == 0 || findings[0].verdict != wrong || findings[0].hint == "" {
		t.Errorf("got %+v", findings)
	}
	if len(findings) < 2 {
		t.Error("the services are not asked for")
	}
}
