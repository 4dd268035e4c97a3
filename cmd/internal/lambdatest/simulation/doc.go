// Package simulation runs histories of the worker in one process and in virtual time: the mapping, the source, the engine and the sinks are the
// real ones, and Kinesis, S3 and SQS are a few maps, which fail as a history says. A seed is a history: what fails depends on it alone, on which
// call of which invocation it is, and not on the order in which goroutines run or on how long a pause happens to be.
//
//  1. history_test.go: what a history is, as text too
//  2. services_test.go: the services, and their faults
//  3. run_test.go: a history is run
//  4. judge_test.go: each invocation is judged, and each record
//  5. shrink_test.go: the shortest history that still goes wrong
//  6. simulation_test.go: histories of many seeds, and those with a name
//  7. planted_test.go: faults planted in the product, each of which is to be found
//
// What has to hold is in judge_test.go, by these names:
//
//	lost        a record has neither its prediction nor its dead letter, and was not given up
//	wrong       it has both, another prediction, another reason, or other bytes
//	answered    an invocation's answer takes a record for dealt with that is not
//	checkpoint  an answer reports a record that was dealt with, or none of the event's
//	repeated    it is there again, and no fault explains that
//	order       a record of a shard is delivered before all of those are through that the shard was made of
//	refused     an invocation did not answer for all of its records, and nothing was wrong
//	panicked    an invocation does
//	stuck       an invocation, or all of it, does not end in its time
package simulation
