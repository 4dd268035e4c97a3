package source

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"

	"github.com/skiff-ml/skiff/inference/jsonscan"
	"github.com/skiff-ml/skiff/inference/limits"
)

// A request is what is read of an HTTP request, as a function URL, an HTTP API
// (both payload format 2.0), a REST API (1.0) and a load balancer send it.
type request struct {
	Context struct {
		HTTP struct {
			Method string `json:"method"`
		} `json:"http"`
	} `json:"requestContext"`
	Method string  `json:"httpMethod"`
	Body   *string `json:"body"`
	Base64 bool    `json:"isBase64Encoded"`
}

// readRequest returns the request that an event is, nil of another.
func readRequest(payload []byte) *request {
	var r request
	if json.Unmarshal(payload, &r) != nil {
		return nil
	}
	if r.Context.HTTP.Method != "" {
		r.Method = r.Context.HTTP.Method
	}
	if r.Method == "" {
		return nil
	}
	return &r
}

// documents returns the body; what is no base64 is no JSON either.
func (r *request) documents() []byte {
	if r.Body == nil {
		return nil
	}
	if r.Base64 {
		if body, err := base64.StdEncoding.DecodeString(*r.Body); err == nil {
			return body
		}
	}
	return []byte(*r.Body)
}

// An httpResponse is how a function answers a request.
type httpResponse struct {
	Status  int               `json:"statusCode"`
	Headers map[string]string `json:"headers"`
	Body    string            `json:"body"`
}

// respond answers a request with the predictions for the documents in its body,
// as [Kinesis.direct] does: with status 200 where there is one at least, and
// with 400 where there is none. It is an error only when the model cannot run,
// which API Gateway and function URLs answer with 502.
func (k *Kinesis) respond(ctx context.Context, i *invocation, r *request) ([]byte, error) {
	if r.Method != http.MethodPost {
		return answerWith(http.StatusMethodNotAllowed, []byte(`{"error":"it takes POST, with a document to predict for or a list of them"}`)), nil
	}
	response, none, err := k.predict(ctx, i, r.documents())
	switch {
	case err == errLong: //nolint:errorlint // it is never wrapped
		return answerWith(http.StatusRequestEntityTooLarge, []byte(`{"error":`+jsonscan.Quote(err.Error())+`}`)), nil
	case err != nil:
		return nil, err
	case none != nil:
		return answerWith(http.StatusBadRequest, response), nil
	}
	answer := answerWith(http.StatusOK, response)
	if len(answer) > limits.Response {
		return answerWith(http.StatusRequestEntityTooLarge, []byte(`{"error":`+jsonscan.Quote(errLong.Error())+`}`)), nil
	}
	return answer, nil
}

func answerWith(status int, body []byte) []byte {
	answer, err := json.Marshal(httpResponse{status, map[string]string{"Content-Type": "application/json"}, string(body)})
	if err != nil {
		panic(err) // no text fails
	}
	return answer
}
