package lambdatest

import "time"

// Limits of Lambda: its quotas, and the phases of its runtime.
const (
	MaxPayload  = 6 << 20          // bytes of a request, and of a response; synchronous invocation
	InitTimeout = 10 * time.Second // init phase
)

// Limits of CreateEventSourceMapping for a Kinesis stream.
const (
	DefaultBatch = 100
	MaxBatch     = 10_000 // records of an invocation
	MaxWindow    = 300 * time.Second
	MaxRetries   = 10_000
	MinRecordAge = 60 * time.Second
	MaxRecordAge = 604_800 * time.Second // 7 days
)

// Limits of Kinesis.
const (
	MaxRead = 10_000 // records of a GetRecords call
	MaxPut  = 500    // records of a PutRecords call
)
