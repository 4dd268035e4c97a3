// Package image tests the worker's container image: under AWS's runtime
// interface emulator, with stand-ins for Kinesis and S3; as the tutorial runs
// it; and pushed to a registry. `make image-test` builds what it needs, runs it
// and prints what was measured.
//
// The tests have the build tag image, since they need a container engine:
//
//  1. image_test.go: the parts in their order, and the images they need
//  2. tutorial_test.go: docker run as the tutorial has it
//  3. function_test.go: as a Lambda function, with the bundle inside and in S3
//  4. failures_test.go: all that can be wrong with a function
//  5. publish_test.go: pushed to a registry; built again, the same bytes
//  6. arm64_test.go: for the other processor
//
// container_test.go runs containers, standins_test.go what they talk to.
package image
