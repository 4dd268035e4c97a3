// Package lambdatest is what stands in for AWS where the worker is run, tested
// or measured on one machine: a library for the commands in cmd/tools, and for
// tests. The worker in it is the one that is deployed.
//
// In the order a record takes:
//
//   - ministack is Kinesis and S3.
//   - mapping is Lambda's event source mapping: it reads a stream, and hands
//     the function batches.
//   - event.go writes their events as Lambda does, and limits.go has the limits
//     that AWS sets to all of it.
//   - runtimeapi is Lambda's runtime: it starts the function's program, and
//     hands it one invocation at a time.
//   - faults has any of it fail as AWS does.
//   - process runs a program so that nothing of it stays behind.
//
// The package failures tests, with all of them, what the worker does when
// something fails. stub.go is Kinesis for unit tests.
package lambdatest
