// Package mapping is a local event source mapping: what AWS Lambda runs between a Kinesis stream and a function.
//
// The way of a record, a file a stage:
//
//  1. source.go reads shards, position by position.
//  2. mapping.go follows the shards: a child starts once its parents are drained. A shard may have several lanes, each with its keys.
//  3. filter.go says which records are wanted.
//  4. batch.go collects records until a batch is full (count, payload bytes) or its window is over.
//  5. deliver.go has the event written as Lambda does, invokes the function and reads its answer: partial failures, bisecting, retries, age.
//  6. window.go keeps the state of tumbling windows, which the function makes of the records that arrived in one.
//  7. discard.go hands what is given up to the on-failure destination.
//
// The rules are those of CreateEventSourceMapping and of the Lambda guide's pages on Kinesis; sentences_test.go has the sentences. Left out:
// tumbling windows together with a ParallelizationFactor, enhanced fan-out, and giving records up at the end of the stream's retention.
package mapping
