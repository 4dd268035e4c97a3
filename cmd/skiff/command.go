package main

import (
	"context"
	"errors"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/skiff-ml/skiff/cmd/internal/command"
	"github.com/skiff-ml/skiff/inference/hint"
)

// settings are what all commands share.
type settings struct {
	getenv         func(string) string
	stdin          io.Reader
	stdout, stderr io.Writer

	alias  string
	models string // folder, or s3://bucket/experiment
	worker string // program
}

const long = `Converts the pipeline of an MLflow run to a bundle, proves that, has a stream on this machine scored with it, and says which run's model serves, by an alias: a worker with RUN_ID=@champion follows it within a minute, without a restart.

The alias is a small file beside the runs, aliases/champion.json in the folder models or in s3://MODEL_BUCKET/MLFLOW_EXPERIMENT_ID; what it was
before is in aliases/champion.history.jsonl. A run is proved before the alias moves to it: a worker on this machine loads the bundle from
where the workers will, and replays its goldens.

The first predictions:

  skiff convert ./model                # an MLflow model's folder; prints models/RUN
  skiff up models/RUN
  skiff send '{"ride": {"PULocationID": 236, "DOLocationID": 162, "trip_distance": 2.28}, "ride_id": 156}'
  skiff tail --from-beginning
  skiff down

Variables: MODEL_BUCKET, MLFLOW_EXPERIMENT_ID (1), S3_ENDPOINT_URL, MLFLOW_TRACKING_URI (for models:/NAME@ALIAS), and the AWS SDK's.`

// run is the whole program.
func run(ctx context.Context, args []string, getenv func(string) string, stdin io.Reader, stdout, stderr io.Writer) error {
	s := &settings{getenv: getenv, stdin: stdin, stdout: stdout, stderr: stderr}
	ran := false // what goes wrong before is how it was called
	root := &cobra.Command{
		Use: "skiff", Short: "Convert a model, try it, have it served", Long: long, Version: version(),
		SilenceErrors: true, SilenceUsage: true,
		PersistentPreRun: func(*cobra.Command, []string) { ran = true },
	}
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	flags := root.PersistentFlags()
	flags.StringVar(&s.alias, "alias", "champion", "the alias")
	flags.StringVar(&s.models, "models", "", "where the runs are: a folder, or s3://BUCKET/EXPERIMENT (default: that of MODEL_BUCKET where it is set, else models)")
	s.addTo(root) //nolint:contextcheck // a command has it from ExecuteContext
	called, err := root.ExecuteContextC(ctx)
	if err != nil && !ran {
		advice := called.CommandPath() + " --help"
		if what, meant, ok := strings.Cut(err.Error(), "\n\nDid you mean this?\n"); ok { // as cobra puts it
			err, advice = errors.New(what), "is it "+strings.Join(strings.Fields(meant), " or ")+"? skiff --help"
		}
		return hint.With(command.Usage("skiff", err), advice)
	}
	return err
}

// addTo adds the commands to the root.
func (s *settings) addTo(root *cobra.Command) {
	root.AddGroup(&cobra.Group{ID: "model", Title: "A model:"}, &cobra.Group{ID: "stack", Title: "A stream on this machine:"}, &cobra.Group{ID: "serve", Title: "What is served:"})
	for group, commands := range map[string][]*cobra.Command{
		"model": {s.convert(), s.check(), s.inspect(), s.predict(), s.score()},
		"stack": {s.up(), s.send(), s.tail(), s.replay(), s.down(), s.run()},
		"serve": {s.promote(), s.rollback(), s.history(), s.doctor(), s.drift()},
	} {
		for _, command := range commands {
			command.GroupID = group
			if command.ValidArgsFunction == nil && command.Args(command, []string{"FILE"}) != nil { // it takes none
				command.ValidArgsFunction = cobra.NoFileCompletions
			}
			root.AddCommand(command)
		}
	}
}

// release is the version of a released program: go build -ldflags "-X main.release=v1.2.3".
var release string //nolint:gochecknoglobals // the linker sets it

// version is that, or the module's, or the commit that the program was built from.
func version() string {
	if release != "" {
		return release
	}
	return command.Version()
}
