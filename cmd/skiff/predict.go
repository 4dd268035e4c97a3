package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/skiff-ml/skiff/inference"
	"github.com/skiff-ml/skiff/inference/hint"
	"github.com/skiff-ml/skiff/inference/jsonscan"
)

func (s *settings) predict() *cobra.Command {
	var model *string
	cmd := &cobra.Command{
		Use: "predict RECORD | -", Short: "Predict for records, and publish nothing", Args: cobra.ExactArgs(1),
		Long: `Prints what the worker predicts for a record, as it would publish it: a line of JSON. RECORD is a JSON document or a list of them; - reads
JSON lines from stdin. For a record that is rejected stderr has the line, the reason, the field, and what is expected there; the exit code is then 1.

The model is that of --model, which is a RUN as ` + "`skiff check`" + ` takes it; or else what MODEL_LOCATION, RUN_ID or the alias name.`,
		Example: `  skiff predict '{"ride": {"PULocationID": 236, "DOLocationID": 162, "trip_distance": 2.28}, "ride_id": 156}'
  skiff predict - --model 3f8b6c3fdddb425fab0cf9b88cfa48de < rides.jsonl`,
		RunE: func(cmd *cobra.Command, args []string) error {
			records := s.stdin
			if args[0] != "-" {
				lines, err := asLines(args[0])
				if err != nil {
					return err
				}
				records = bytes.NewReader(lines)
			}
			b, err := s.find(cmd.Context(), s.modelOr(*model))
			if err != nil {
				return err
			}
			return s.predictFor(cmd.Context(), b, records)
		},
	}
	model = s.modelFlag(cmd)
	s.workerFlag(cmd)
	return cmd
}

// modelOr returns the model that is named, or else what the worker's variables or
// the alias say.
func (s *settings) modelOr(named string) string {
	for _, name := range []string{named, s.getenv("MODEL_LOCATION"), s.getenv("RUN_ID")} {
		if name != "" {
			return name
		}
	}
	return "@" + s.alias
}

// asLines makes JSON lines of a document or a list of them. What is no JSON is
// one line as well: the worker says what is wrong with it.
func asLines(record string) ([]byte, error) {
	if strings.TrimSpace(record) == "" {
		return nil, hint.With(errors.New("the record is empty"), `skiff predict '{"ride": …}'; - reads JSON lines from stdin`)
	}
	var lines bytes.Buffer
	line := func(document []byte) {
		if json.Compact(&lines, document) != nil { // then nothing was written
			lines.Write(bytes.ReplaceAll(document, []byte("\n"), []byte(" ")))
		}
		lines.WriteByte('\n')
	}
	isList := jsonscan.Elements([]byte(record), func(document []byte, _ jsonscan.Kind) bool {
		line(document)
		return true
	})
	if !isList {
		lines.Reset()
		line([]byte(record))
	}
	return lines.Bytes(), nil
}

// predictFor has the worker score JSON lines as a file, since then there is an
// answer for each.
func (s *settings) predictFor(ctx context.Context, b *named, records io.Reader) (err error) {
	dir, err := os.MkdirTemp("", "skiff-predict-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	file, to := filepath.Join(dir, "records.jsonl"), filepath.Join(dir, "predictions.jsonl")
	if err := writeAll(file, records); err != nil {
		return fmt.Errorf("reading the records: %w", err)
	}
	const plain = "OUTPUT_META=" // which would name a file that nobody has
	if _, err := s.runWorker(ctx, job{bundle: b, args: []string{"-score", file, "-to", to}, env: []string{plain}}); err != nil {
		return err
	}
	predictions, err := os.Open(to)
	if err != nil {
		return err
	}
	defer predictions.Close()
	if _, err := io.Copy(s.stdout, predictions); err != nil {
		return err
	}
	return s.tellRejected(to + ".rejected")
}

// tellRejected says of each record without a prediction why that is, and returns
// an error where there is one.
func (s *settings) tellRejected(file string) error {
	letters, err := os.Open(file)
	if err != nil {
		return err
	}
	defer letters.Close()
	n := 0
	lines := bufio.NewReader(letters)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) == 0 && errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		var l inference.DeadLetter
		if err := json.Unmarshal(line, &l); err != nil {
			return fmt.Errorf("reading what the worker rejected: %w", err)
		}
		n++
		fmt.Fprintf(s.stderr, "line %s: %s\n", l.SequenceNumber, l.Why())
	}
	switch n {
	case 0:
		return nil
	case 1:
		return errors.New("a record is rejected")
	}
	return fmt.Errorf("%d records are rejected", n)
}

// writeAll writes all that r has into a new file.
func writeAll(name string, r io.Reader) error {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, r)
	return errors.Join(err, f.Close())
}
