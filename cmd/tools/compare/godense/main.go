// Godense is the straightforward handler in Go, to compare with: events by
// encoding/json, predictions by sklearn-onnx's graph over dense float32 rows,
// through onnxruntime_go.
//
//	godense DENSE_FOLDER RUN_ID
package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/skiff-ml/skiff/cmd/tools/compare/candidate"
)

func main() {
	if err := run(os.Args[1:], os.Getenv, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintf(os.Stderr, "godense: error: %v\n", err)
		os.Exit(1)
	}
}

func run(args []string, getenv func(string) string, stdin io.Reader, stdout io.Writer) error {
	if len(args) != 2 {
		return errors.New("usage: godense DENSE_FOLDER RUN_ID")
	}
	m, err := loadModel(args[0], getenv("ONNXRUNTIME_LIB"))
	if err != nil {
		return err
	}
	h := &handler{model: m, runID: args[1]}
	return candidate.Serve(h.handle, stdin, stdout)
}
