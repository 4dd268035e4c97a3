package sink

import (
	"io"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// The SDK closes a request's body as soon as there is an answer. The HTTP
// transport, which may not have been scheduled since it wrote the body's last
// byte, still copies what is left to see that this was the last. A closed body
// has a WriteTo that says EOF for an error, which fails the connection under
// the answer, and a request that was taken looks like one that wasn't. It was
// seen once in a hundred requests on a busy machine: each is 500 predictions
// published again. A body that knows its length has no need to ask.

// A client sends requests whose bodies know their length.
type client struct{ aws.HTTPClient }

// Do sends the request.
func (c client) Do(r *http.Request) (*http.Response, error) {
	if r.Body != nil && r.ContentLength > 0 {
		r.Body = &body{r.Body, r.ContentLength}
	}
	return c.HTTPClient.Do(r)
}

// A body ends after so many bytes, closed or not.
type body struct {
	io.ReadCloser
	left int64
}

// Read reads, until the length is reached.
func (b *body) Read(p []byte) (int, error) {
	if b.left == 0 {
		return 0, io.EOF
	}
	n, err := b.ReadCloser.Read(p)
	b.left -= int64(n)
	return n, err
}
