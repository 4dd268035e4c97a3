package main

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/skiff-ml/skiff/inference/hint"
)

func (s *settings) score() *cobra.Command {
	to := ""
	var model *string
	cmd := &cobra.Command{
		Use: "score FILE", Short: "Predict for a file", Args: cobra.ExactArgs(1),
		Long: `Predicts for each line of a file, in order, into another; beside that, in TO.rejected, is what there is no prediction for, as dead letters whose
sequence_number is the line. FILE is JSON lines, as they are or compressed by gzip, or parquet (with the program rows beside the worker), on disk or an
s3:// URL, and so is TO. The last line it prints is a JSON object that counts them. What is stopped goes on with the same command.

The model is that of --model, which is a RUN as ` + "`skiff check`" + ` takes it; or else what MODEL_LOCATION, RUN_ID or the alias name.`,
		Example: `  skiff score rides.jsonl
  skiff score rides.jsonl --to predictions.jsonl --model @challenger
  skiff score s3://rides/2019/01.parquet`,
		RunE: func(cmd *cobra.Command, args []string) error {
			b, err := s.find(cmd.Context(), s.modelOr(*model))
			if err != nil {
				return err
			}
			worker := []string{"-score", args[0]}
			if to != "" {
				worker = append(worker, "-to", to)
			}
			_, err = s.runWorker(cmd.Context(), job{bundle: b, args: worker, stdout: s.stdout, log: &progress{to: s.stderr}})
			if err != nil && cmd.Context().Err() != nil {
				return hint.With(err, "the same command goes on where it was")
			}
			return err
		},
	}
	cmd.Flags().StringVar(&to, "to", "", "where the predictions go (default: FILE.predictions.jsonl)")
	model = s.modelFlag(cmd)
	s.workerFlag(cmd)
	return cmd
}

// A progress tells how far the worker is, of the lines of its log that say so.
type progress struct {
	to   io.Writer
	line []byte
}

// Write implements [io.Writer].
func (p *progress) Write(log []byte) (int, error) {
	for _, c := range log {
		if c != '\n' {
			p.line = append(p.line, c)
			continue
		}
		var v struct {
			Msg                        string
			Lines, Predicted, Rejected int
			Percent                    float64
		}
		if json.Unmarshal(p.line, &v) == nil && v.Msg == "scoring" {
			fmt.Fprintf(p.to, "%3.0f %%: %d lines, %d predicted, %d rejected\n", v.Percent, v.Lines, v.Predicted, v.Rejected)
		}
		p.line = p.line[:0]
	}
	return len(log), nil
}
