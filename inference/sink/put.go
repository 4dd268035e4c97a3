package sink

import (
	"bytes"
	"context"
	"io"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/skiff-ml/skiff/inference"
)

// A put is one PutRecords request, and the memory of it and of its answer, used
// again by later ones.
//
// It is the protocol of its request: the SDK has a put write the request's body
// and read its answer, and does all else, from the endpoint and the signature to
// the errors. What is out of the ordinary a put leaves to the SDK's own
// protocol, so that whatever is sent and understood is what the SDK would send
// and understand; only slower.
type put struct {
	smithyhttp.ClientProtocol // the SDK's

	in      kinesis.PutRecordsInput
	body    []byte
	sending *payload // what the transport has of body; nil: nothing
	answer  bytes.Buffer
	results []types.PutRecordsResultEntry // of an answer that says of no record why it was not taken
}

// keptBytes is the largest body or answer whose memory is kept: several times that
// of 500 predictions.
const keptBytes = 1 << 20

// of makes the put one of messages, to a stream.
func (p *put) of(messages []inference.Message, stream *Stream) *kinesis.PutRecordsInput {
	p.in = kinesis.PutRecordsInput{StreamName: &stream.name, Records: slices.Grow(p.in.Records[:0], len(messages))[:len(messages)]}
	if stream.arn != "" {
		p.in.StreamName, p.in.StreamARN = nil, &stream.arn
	}
	for i := range messages {
		p.in.Records[i] = types.PutRecordsRequestEntry{Data: messages[i].Data, PartitionKey: &messages[i].Key}
		if messages[i].HashKey != "" {
			p.in.Records[i].ExplicitHashKey = &messages[i].HashKey
		}
	}
	return &p.in
}

// use has a request's options use the put.
func (p *put) use(o *kinesis.Options) { p.ClientProtocol, o.Protocol = o.Protocol, p }

// over ends the request: its memory is free for another.
func (p *put) over() {
	if p.sending != nil {
		p.sending.over()
		p.sending = nil
	}
	clear(p.in.Records) // which keep the messages
	if cap(p.body) > keptBytes {
		p.body = nil
	}
	if p.answer.Cap() > keptBytes {
		p.answer = bytes.Buffer{}
	}
}

// SerializeRequest implements [smithyhttp.ClientProtocol]: the SDK makes a
// request without members, which gets the body it should have.
func (p *put) SerializeRequest(ctx context.Context, schema *smithy.OperationSchema, in smithy.Serializable, r *smithyhttp.Request) error {
	puts, ok := in.(*kinesis.PutRecordsInput)
	if ok {
		p.body, ok = appendRequest(p.body[:0], puts)
	}
	if !ok {
		return p.ClientProtocol.SerializeRequest(ctx, schema, in, r)
	}
	if err := p.ClientProtocol.SerializeRequest(ctx, schema, &kinesis.PutRecordsInput{}, r); err != nil {
		return err
	}
	p.sending = &payload{}
	p.sending.left.Reset(p.body)
	whole, err := r.SetStream(p.sending)
	if err == nil {
		*r = *whole
	}
	return err
}

// DeserializeResponse implements [smithyhttp.ClientProtocol]. That a record was
// taken is all that it says of it, and not where it is now.
func (p *put) DeserializeResponse(ctx context.Context, schema *smithy.OperationSchema, registry *smithy.TypeRegistry, r *smithyhttp.Response, out smithy.Deserializable) error {
	if puts, ok := out.(*kinesis.PutRecordsOutput); ok && r.StatusCode >= 200 && r.StatusCode < 300 {
		p.answer.Reset()
		if _, err := p.answer.ReadFrom(r.Body); err != nil {
			return &smithy.DeserializationError{Err: err}
		}
		if taken, ok := readTaken(p.answer.Bytes()); ok {
			none := int32(0)
			p.results = slices.Grow(p.results[:0], taken)[:taken]
			puts.FailedRecordCount, puts.Records = &none, p.results
			return nil
		}
		r.Body = struct {
			io.Reader
			io.Closer
		}{bytes.NewReader(p.answer.Bytes()), r.Body}
	}
	return p.ClientProtocol.DeserializeResponse(ctx, schema, registry, r, out)
}

// A payload is a body on its way, in memory that is used again: the transport
// may look for more of it when its request is over, and then there is none.
type payload struct {
	mu   sync.Mutex
	left bytes.Reader
}

// Read implements [io.Reader].
func (p *payload) Read(to []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.left.Read(to)
}

// WriteTo implements [io.WriterTo], for the SDK's hash: the transport reads, see
// body.go.
func (p *payload) WriteTo(w io.Writer) (int64, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.left.WriteTo(w)
}

// Seek implements [io.Seeker]: the SDK goes back to the start.
func (p *payload) Seek(offset int64, whence int) (int64, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.left.Seek(offset, whence)
}

// over takes the memory away.
func (p *payload) over() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.left.Reset(nil)
}
