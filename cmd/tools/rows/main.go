package main

import (
	"os"

	"github.com/skiff-ml/skiff/cmd/internal/command"
)

func main() {
	os.Exit(command.Exit("rows", run(os.Args[1:], os.Stdout, os.Stderr), os.Stderr))
}
