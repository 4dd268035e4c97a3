// Package source reads invocations and answers them: an event becomes a batch of
// items, which the engine decides on, and their outcomes become the response.
// An event is a Kinesis stream's, or one of a few others.
//
//  1. event.go: where events have what is read of them: a stream's, a queue's, those of Pipes
//  2. decode.go: an event's records: out of base64, or text
//  3. unpack.go: a record that holds several documents becomes as many items
//  4. kinesis.go: the invocation as a whole
//  5. answer.go: the response, and whether it may be a success
//  6. other.go: events that are not Kinesis's: what they are, and which are answered
//  7. direct.go, http.go: documents to predict for, and nothing to publish
package source
