// Image tests the worker's container image: under AWS's runtime interface
// emulator, with stand-ins for Kinesis and S3; as the tutorial runs it; and
// pushed to a registry. `make image-test` builds what it needs and runs it.
//
// It prints what it checks to stderr, and one JSON object to stdout. With
// -arm64 it builds the image for that processor and looks whether its parts fit
// together: it cannot run here.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"skiff/cmd/internal/command"
	"skiff/inference"
)

const deadline = 10 * time.Minute

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr)
	if err != nil {
		err = inference.WithHint(err, "what passed is above; ENGINE names another engine")
	}
	os.Exit(command.Exit("image", err, os.Stderr))
}

// run is the whole program, from the project's folder.
func run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	began := time.Now()
	temp, err := os.MkdirTemp("", "skiff-image-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temp) //nolint:errcheck // nothing depends on it
	t := &tester{temp: temp, engine: getenv("ENGINE"), stderr: stderr, say: func(format string, args ...any) {
		fmt.Fprintf(stderr, "image: %3.0f s  %s\n", time.Since(began).Seconds(), fmt.Sprintf(format, args...))
	}}
	defer t.close()
	if slices.Equal(args, []string{"-arm64"}) {
		return t.architecture(ctx)
	}
	return t.test(ctx, stdout)
}
