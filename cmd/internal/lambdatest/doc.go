// Package lambdatest is what stands in for AWS where the worker is run, tested
// or measured on one machine. The worker in it is the one that is deployed.
//
// In the order a record takes:
//
//   - mapping is Lambda's event source mapping: it reads a stream, and hands
//     the function batches.
//   - runtimeapi is Lambda's runtime: it starts the function's program, and
//     hands it one invocation at a time.
//   - process runs a program so that nothing of it stays behind.
package lambdatest
