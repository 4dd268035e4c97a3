// Skiff is the command that people type: it proves a bundle, predicts with it and
// says which run's model serves.
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
	os.Exit(command.Exit("skiff", run(ctx, os.Args[1:], os.Getenv, os.Stdin, os.Stdout, os.Stderr), os.Stderr))
}
