// Compare measures skiff beside what it could have been: the reference
// handler, plain Python as good as it gets, Python with onnxruntime, plain Go.
// The same events, the same model, the same processor.
//
// The stages, each in the file of its name:
//
//  1. candidates.go: who is compared, and how each is started
//  2. events.go: rides become files of Lambda's events, for all candidates
//  3. process.go: a candidate runs as a process that answers and measures
//  4. check.go: each one's predictions, against the original pipeline's
//  5. measure.go: rounds over all batch sizes and candidates, in turn
//  6. cold.go: from the process's start to the first answer; memory, disk
//  7. report.go, text.go, plot.go: the results, for people, plots and programs
//
// What the candidates run is beside this: python, godense and skiff; the
// package candidate is what the two in Go share. make prepares their models.
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
	os.Exit(command.Exit("compare", run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr), os.Stderr))
}
