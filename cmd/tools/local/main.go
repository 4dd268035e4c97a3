// Local runs skiff's worker on this machine, with no AWS account and no container engine: ministack stands in for Kinesis and S3, and the
// project's own event source mapping drives the unmodified worker over the Lambda Runtime API. It is a development tool:
// skiff up, run, replay and down hand over to it.
//
// The files, in the order of use: command.go reads the command line; bundle.go and the package taxi read what a run needs; stack.go starts
// ministack, worker.go the worker; run.go is the run command, with bad.go, produce.go, onfailure.go, collect.go, deadletters.go, progress.go and report.go;
// soak.go is the soak command, with soak_faults.go, soak_fire.go, soak_workers.go and soak_account.go;
// up.go, serve.go, replay.go and down.go are the commands of the same name, with state.go between them. log.go shows the end of a program's log.
package main

import (
	"context"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/skiff-ml/skiff/cmd/internal/command"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	name := filepath.Base(os.Args[0]) // skiff, where it hands over
	code := command.Exit(name, run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr), os.Stderr)
	stop()
	os.Exit(code)
}
