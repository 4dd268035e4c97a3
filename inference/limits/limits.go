// Package limits has AWS's limits, each with where it is said.
package limits

import "time"

// Lambda: "Lambda quotas", and "Understanding the Lambda execution environment
// lifecycle" of its Developer Guide.
const (
	Request  = 6 << 20          // bytes of a synchronous invocation's event
	Response = 6 << 20          // bytes of its answer
	InitTime = 10 * time.Second // of a function's start, on demand

	// LongInitTime is that of the other kinds of start, or the function's timeout
	// if that is longer, which a function isn't told.
	LongInitTime = 130 * time.Second
)

// Lambda: CreateEventSourceMapping for a Kinesis stream.
const (
	DefaultBatch   = 100               // records of an event, unless it is set
	BatchRecords   = 10_000            // of an event, at most
	BatchingWindow = 300 * time.Second // at most
	RetryAttempts  = 10_000            // at most, unless endless
	LeastRecordAge = 60 * time.Second
	RecordAge      = 604_800 * time.Second // 7 days, at most

	Parallelization = 10                // batches of a shard at once, at most
	TumblingWindow  = 900 * time.Second // at most
	WindowState     = 1 << 20           // bytes of a tumbling window's state: "Implementing stateful processing"
	Filters         = 5                 // of a mapping, by default
)

// Kinesis: the GetRecords and PutRecords APIs.
const (
	GetRecords   = 10_000  // records in an answer
	PartitionKey = 256     // characters
	PutRecords   = 500     // records in a request
	PutBytes     = 5 << 20 // of a request, partition keys included; 10 MiB in the current API, 5 MiB is taken everywhere
	RecordBytes  = 1 << 20 // of a record, its key included: a stream's default limit

	// A shard takes so many records and bytes in a second, whichever is reached
	// first; a record is paid for by units that it has begun, of 25 KB, "Amazon
	// Kinesis Data Streams pricing" says, and not which: these are the smaller.
	ShardRecords = 1000
	ShardBytes   = 1 << 20
	PayloadUnit  = 25_000
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
