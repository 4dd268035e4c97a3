package main

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/skiff-ml/skiff/cmd/internal/command"
)

func (s *settings) doctor() *cobra.Command {
	mapping, memory := "", 0
	cmd := &cobra.Command{
		Use: "doctor [--mapping FILE] [--memory MB]", Short: "See whether a worker would serve here, and what to do if not", Args: cobra.NoArgs,
		Long: `Looks at all that a worker needs, with the variables that it would have: its program and libraries, the bundle, which it proves, the variables
themselves, the streams, queues and buckets that they name, and whether these credentials may write to them, which is tried with requests that
AWS cannot fulfil. With --mapping it reads the settings of the event source mapping: reporting, bisecting, retries, age, destination. Each
is a line, ok or with what to do. It writes nothing and puts nothing on a stream. A note is no failure; where something is wrong the exit
code is 1.`,
		Example: `  RUN_ID=3f8b6c3fdddb425fab0cf9b88cfa48de PREDICTIONS_STREAM_NAME=ride-predictions skiff doctor --memory 512
  aws lambda list-event-source-mappings --function-name ride-duration | skiff doctor --mapping -`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			findings := s.examine(cmd.Context(), mapping, memory)
			if err := printFindings(s.stdout, findings); err != nil {
				return err
			}
			bad := 0
			for _, f := range findings {
				if f.verdict == wrong {
					bad++
				}
			}
			if bad > 0 {
				return fmt.Errorf("%d of %d are wrong", bad, len(findings))
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&mapping, "mapping", "", "what aws lambda list-event-source-mappings printed, a file; - is stdin")
	cmd.Flags().IntVar(&memory, "memory", 0, "the function's memory in MB (default: AWS_LAMBDA_FUNCTION_MEMORY_SIZE)")
	s.workerFlag(cmd)
	return cmd
}

// What a finding may be.
const (
	fine  = "ok"
	note  = "note" // it works, and is perhaps not what is meant
	wrong = "wrong"
)

// A finding is what there is to say of one thing.
type finding struct {
	verdict, subject, says string
	hint                   string // what to do
}

// failed is that something is wrong with the subject.
func failed(subject string, err error) finding {
	return finding{wrong, subject, command.OneLine(err), command.Hint(err)}
}

// examine looks at everything, in the order in which a worker needs it.
func (s *settings) examine(ctx context.Context, mapping string, memory int) []finding {
	var findings []finding
	if program, err := s.findWorker(); err != nil {
		findings = append(findings, failed("worker", err))
	} else {
		findings = append(findings, finding{fine, "worker", program, ""})
		findings = append(findings, s.examineWorker(ctx, program, memory)...)
	}
	findings = append(findings, s.examineServices(ctx)...)
	if mapping != "" {
		findings = append(findings, s.examineMappings(ctx, mapping)...)
	}
	return findings
}

func printFindings(w io.Writer, findings []finding) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, f := range findings {
		fmt.Fprintf(t, "%s\t%s\t%s\n", f.verdict, f.subject, printable(f.says))
		if f.hint != "" {
			fmt.Fprintf(t, "\t\thint: %s\n", printable(f.hint))
		}
	}
	return t.Flush()
}
