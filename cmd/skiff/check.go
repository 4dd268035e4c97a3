package main

import (
	"github.com/spf13/cobra"
)

func (s *settings) check() *cobra.Command {
	cmd := &cobra.Command{
		Use: "check RUN", Short: "Prove a run's bundle", Args: cobra.ExactArgs(1), ValidArgsFunction: s.completeRun,
		Long: "Has a worker on this machine load a bundle and replay its goldens, and prints one line. A bundle that is altered, or that predicts\n" +
			"anything but what the original pipeline did, is an error.\n\n" + whichRun,
		Example: `  skiff check 3f8b6c3fdddb425fab0cf9b88cfa48de
  skiff check models/3f8b6c3fdddb425fab0cf9b88cfa48de
  skiff check @champion --models s3://mlflow-models/1`,
		RunE: func(cmd *cobra.Command, args []string) error {
			b, err := s.find(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			_, err = s.runWorker(cmd.Context(), job{bundle: b, args: []string{"-check"}, stdout: s.stdout})
			return err
		},
	}
	s.workerFlag(cmd)
	return cmd
}
