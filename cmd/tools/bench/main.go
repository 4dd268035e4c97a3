// Bench compares batch sizes: what an invocation of the worker costs a record.
//
// The stages, each in the file of its name:
//
//  1. records.go: records become events, one for each batch size
//  2. measure.go: the handler runs them, all sizes in turn, again and again
//  3. cold.go, serve.go, stream.go: the worker's start, and what it uses for a million records
//  4. cost.go: what that is on Lambda, and the batch size to use
//  5. report.go, and text.go, html.go: the results, in four formats
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/skiff-ml/skiff/cmd/internal/command"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(command.Exit("bench", run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr), os.Stderr))
}
