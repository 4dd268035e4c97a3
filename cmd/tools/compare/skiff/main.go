// Skiff is the worker's handler in the comparison: a bundle opened, proved and
// served as the worker does it, publishing into a sink.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/skiff-ml/skiff/cmd/tools/compare/candidate"
	"github.com/skiff-ml/skiff/inference"
	"github.com/skiff-ml/skiff/inference/bundle"
	"github.com/skiff-ml/skiff/inference/limits"
	"github.com/skiff-ml/skiff/inference/model"
	"github.com/skiff-ml/skiff/inference/ort"
	"github.com/skiff-ml/skiff/inference/source"
)

func main() {
	if err := run(context.Background(), os.Args[1:], os.Getenv, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintf(os.Stderr, "skiff: error: %v\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, getenv func(string) string, stdin io.Reader, stdout io.Writer) error {
	if len(args) != 1 {
		return errors.New("usage: skiff BUNDLE")
	}
	b, err := bundle.Open(ctx, bundle.Dir(args[0]), "")
	if err != nil {
		return err
	}
	if err := ort.Initialize(getenv("ONNXRUNTIME_LIB")); err != nil {
		return err
	}
	session, slower, err := ort.LoadFastest(b, ort.FindOperators(getenv("SKIFF_LIB"), getenv("ONNXRUNTIME_LIB")))
	if err := errors.Join(err, slower); err != nil {
		return err
	}
	defer session.Close() //nolint:errcheck // the process ends here
	served, err := model.New(b, session)
	if err != nil {
		return err
	}
	all := inference.Limits{Messages: limits.PutRecords, Bytes: limits.PutBytes, MessageBytes: limits.RecordBytes, Calls: 4}
	handler := source.NewKinesis(inference.NewEngine(served, &inference.Target{Sink: taken{}, Limits: all}, nil, slog.New(slog.DiscardHandler)))
	return candidate.Serve(func(event []byte) ([]byte, error) { return handler.Invoke(ctx, event) }, stdin, stdout)
}

// A taken is a sink that takes everything at once.
type taken struct{}

// Put implements [inference.Sink].
func (taken) Put(context.Context, []inference.Message) ([]int, error) { return nil, nil }
