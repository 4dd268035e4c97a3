// Package runtimeapi runs a Lambda function on this machine: the unmodified program of a custom runtime (provided.al2023), served by the Lambda
// Runtime API, version 2018-06-01.
//
// A Function has one execution environment, so one invocation at a time. As in Lambda, the environment outlives its invocations, failed ones
// too; one that times out is ended together with what it started, one that ends by itself is an error, and the next invocation makes a new one.
//
//  1. function.go is the Invoke side: turns, deadlines, and which environment.
//  2. environment.go is one process and the API it talks to.
package runtimeapi
