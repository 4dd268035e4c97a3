package main

import (
	"context"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/skiff-ml/skiff/inference/alias"
)

func (s *settings) promote() *cobra.Command {
	cmd := &cobra.Command{
		Use: "promote RUN", Short: "Prove a run, and have it served", Args: cobra.ExactArgs(1), ValidArgsFunction: s.completeRun,
		Long: `Proves a run and moves the alias to it. RUN is an MLflow run id, runs:/ID, or a registered model's version, models:/NAME@ALIAS or
models:/NAME/VERSION, which MLFLOW_TRACKING_URI knows, or @ALIAS, what another alias stands for. A run that is not proved leaves the
alias where it is; so does somebody else's move at the same time.`,
		Example: `  skiff promote 3f8b6c3fdddb425fab0cf9b88cfa48de
  MODEL_BUCKET=mlflow-models skiff promote models:/ride-duration@champion`,
		RunE: func(cmd *cobra.Command, args []string) error {
			at, err := s.place(cmd.Context())
			if err != nil {
				return err
			}
			run, err := s.resolve(cmd.Context(), at, args[0])
			if err != nil {
				return err
			}
			return s.move(cmd.Context(), func(ctx context.Context, files alias.Files) (*alias.Move, error) {
				return alias.PlanPromote(ctx, files, s.alias, run, time.Now())
			})
		},
	}
	s.workerFlag(cmd)
	return cmd
}

func (s *settings) rollback() *cobra.Command {
	cmd := &cobra.Command{
		Use: "rollback", Short: "Have the run before served again", Args: cobra.NoArgs,
		Long:    "Moves the alias to the run that it stood for before, once that is proved. Done twice, it is where it was.",
		Example: "  skiff rollback",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.move(cmd.Context(), func(ctx context.Context, files alias.Files) (*alias.Move, error) {
				return alias.PlanRollback(ctx, files, s.alias, time.Now())
			})
		},
	}
	s.workerFlag(cmd)
	return cmd
}

// move proves what is planned, and does it.
func (s *settings) move(ctx context.Context, plan func(context.Context, alias.Files) (*alias.Move, error)) error {
	at, err := s.place(ctx)
	if err != nil {
		return err
	}
	m, err := plan(ctx, at.files)
	if err != nil {
		return err
	}
	if err := s.prove(ctx, at, m.To.RunID); err != nil {
		return err
	}
	if m.To.Manifest, err = at.manifest(ctx, m.To.RunID); err != nil {
		return err
	}
	if m.Same() {
		_, err := fmt.Fprintf(s.stdout, "@%s is run %s already, revision %d\n", s.alias, m.From.RunID, m.From.Revision)
		return err
	}
	if err := m.Make(ctx, at.files); err != nil {
		return err
	}
	back := ""
	if m.To.Previous != "" {
		back = "; skiff rollback goes back to " + m.To.Previous
	}
	_, err = fmt.Fprintf(s.stdout, "@%s is run %s, revision %d%s\n", s.alias, m.To.RunID, m.To.Revision, back)
	return err
}

func (s *settings) history() *cobra.Command {
	return &cobra.Command{
		Use: "history", Short: "What was served, and since when", Args: cobra.NoArgs,
		Long:    "Lists the runs that the alias has stood for, the latest first.",
		Example: "  skiff history",
		RunE: func(cmd *cobra.Command, _ []string) error {
			at, err := s.place(cmd.Context())
			if err != nil {
				return err
			}
			past, err := alias.History(cmd.Context(), at.files, s.alias)
			if err != nil {
				return err
			}
			if len(past) == 0 {
				return none(at, s.alias)
			}
			table := tabwriter.NewWriter(s.stdout, 0, 0, 2, ' ', 0)
			fmt.Fprintln(table, "revision\trun\tsince\tby")
			for i := range past {
				p := past[len(past)-1-i]
				fmt.Fprintf(table, "%d\t%s\t%s\t%s\n", p.Revision, p.RunID, p.At, p.By)
			}
			return table.Flush()
		},
	}
}
