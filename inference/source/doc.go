// Package source reads invocations and answers them: an event becomes a batch of
// items, which the engine decides on, and their outcomes become the response.
//
//  1. event.go: what is read of an event
//  2. decode.go: a Kinesis event's records, out of base64
//  3. unpack.go: a record that holds several documents becomes as many items
//  4. other.go: events that are not Kinesis's: what they are, and which are answered
//  5. kinesis.go: the invocation as a whole
//  6. answer.go: the response, and whether it may be a success
package source
