// Package limits has AWS's limits, each with where it is said.
package limits

// Lambda: "Lambda quotas", and CreateEventSourceMapping for a Kinesis stream.
const (
	BatchRecords = 10_000  // of an event source mapping's event
	Request      = 6 << 20 // bytes of a synchronous invocation's event
	Response     = 6 << 20 // bytes of its answer
)

// Kinesis: the PutRecords API.
const (
	PartitionKey = 256     // characters
	PutRecords   = 500     // records in a request
	PutBytes     = 5 << 20 // of a request, partition keys included; 10 MiB in the current API, 5 MiB is taken everywhere
	RecordBytes  = 1 << 20 // of a record, its key included: a stream's default limit
)

// SQS: the SendMessageBatch API.
const (
	BatchMessages = 10        // in a request
	MessageBytes  = 256 << 10 // of a message, and of all in a request; a queue's setting may allow 1 MiB
	GroupID       = 128       // ASCII letters, digits and punctuation, of a FIFO queue's MessageGroupId
)

// S3: the PutObject API.
const (
	ObjectBytes = 5 << 30 // of an object put at once
)
