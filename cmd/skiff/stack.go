package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/skiff-ml/skiff/cmd/internal/command"
	"github.com/skiff-ml/skiff/inference/alias"
	"github.com/skiff-ml/skiff/inference/bundle"
	"github.com/skiff-ml/skiff/inference/hint"
)

// aboutStack is what the commands of the local stack are about.
const aboutStack = `ministack stands in for Kinesis and S3, and an event source mapping by Lambda's rules drives the worker that you deploy; there is no AWS
account in it. What comes after -- is handed to the program local, such as the mapping's settings: skiff up RUN -- -batch 100 -retries 3.`

// A localStack is how the local stack is called.
type localStack struct {
	dir, local, ministack string
	page                  string // an address, "" for none
}

// stackDir returns the folder of the local stack's state and logs.
func (l *localStack) stackDir() (string, error) {
	if l.dir != "" {
		return l.dir, nil
	}
	if built := inCheckout("local"); built != "" {
		return built, nil
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", hint.With(fmt.Errorf("finding a folder for the local stack: %w", err), "--dir names one")
	}
	return filepath.Join(cache, "skiff", "local"), nil
}

func (l *localStack) dirFlag(cmd *cobra.Command) {
	cmd.Flags().StringVar(&l.dir, "dir", "", "the folder of the local stack's state and logs (default: .build/local in a checkout, else one in the user's cache)")
	markDir(cmd, "dir")
}

func (l *localStack) programFlag(cmd *cobra.Command) {
	cmd.Flags().StringVar(&l.local, "local", "", "the program that runs the local stack (default: beside skiff, in the checkout, or in PATH)")
}

func (l *localStack) ministackFlag(cmd *cobra.Command) {
	cmd.Flags().StringVar(&l.ministack, "ministack", "", "ministack's program (default: that of the checkout, or one that skiff installs with uv)")
}

func (l *localStack) pageFlag(cmd *cobra.Command) {
	cmd.Flags().StringVar(&l.page, "page", "", "show what the stack does on a live page, at an address of this machine's own, such as 127.0.0.1:8090")
}

// startFlags are those of a command that starts a stack.
func (s *settings) startFlags(cmd *cobra.Command, l *localStack) {
	l.pageFlag(cmd)
	s.workerFlag(cmd)
	l.programFlag(cmd)
	l.ministackFlag(cmd)
	l.dirFlag(cmd)
}

// withPage returns flags with that of the page, where one is asked for.
func (l *localStack) withPage(flags []string) []string {
	if l.page == "" {
		return flags
	}
	return append(flags, "-page", l.page)
}

// run has the program local do a command. It does not return where that starts.
func (l *localStack) run(name string, args ...string) error {
	program, err := findProgram("local", l.local)
	if err != nil {
		return hint.With(errors.Join(errors.New("there is no program that runs the local stack"), err), "it comes with skiff's releases; in a checkout `make skiff` builds it; --local names it")
	}
	dir, err := l.stackDir()
	if err != nil {
		return err
	}
	const as = "skiff" // how its errors begin
	return handOver(program, append([]string{as, name, "-dir", dir}, args...), nil)
}

// ofBundle returns the flags that say which run the local stack serves, and how.
func (s *settings) ofBundle(ctx context.Context, l *localStack, named string) ([]string, error) {
	b, err := s.find(ctx, s.modelOr(named))
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(b.location, "s3:") {
		return nil, hint.With(fmt.Errorf("the local stack takes no bundle from %s", b.location), "copy it: aws s3 cp --recursive "+b.location+" models/RUN")
	}
	data, err := b.folder.ReadFile(ctx, bundle.ManifestFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, hint.With(fmt.Errorf("there is no bundle in %s", b.location), "skiff convert makes one, in models/RUN")
	}
	if err != nil {
		return nil, err
	}
	m, err := bundle.ParseManifest(data)
	if err != nil {
		return nil, err
	}
	worker, err := s.findWorker()
	if err != nil {
		return nil, err
	}
	ministack, err := s.findMinistack(ctx, l.ministack)
	if err != nil {
		return nil, err
	}
	return []string{"-run-id", m.RunID, "-model", b.location, "-worker", worker, "-ministack", ministack}, nil
}

// theRest splits arguments into those of the command and those behind --.
func theRest(cmd *cobra.Command, args []string) (own, rest []string) {
	if at := cmd.ArgsLenAtDash(); at >= 0 {
		return args[:at], args[at:]
	}
	return args, nil
}

// oneRun is that a command takes a RUN at most, and anything behind --.
func oneRun(cmd *cobra.Command, args []string) error {
	own, _ := theRest(cmd, args)
	return cobra.MaximumNArgs(1)(cmd, own)
}

func first(args []string) string {
	if len(args) == 0 {
		return ""
	}
	return args[0]
}

func (s *settings) up() *cobra.Command {
	var l localStack
	port := 0
	cmd := &cobra.Command{
		Use: "up [RUN] [--port PORT] [-- FLAGS]", Short: "Start the local stack, and leave it running", Args: oneRun, ValidArgsFunction: s.completeRun,
		Long: `Starts the local stack with a run, and returns once everything answers: put records on with skiff send, see what comes of them with skiff tail.
A second time it says where it is. Bad records become dead letters, in its S3, where they are kept over down and up.

RUN is as ` + "`skiff check`" + ` takes it, in a folder; without one, it is what MODEL_LOCATION, RUN_ID or the alias name. With @ALIAS, or with --alias, the
worker serves what that alias stands for in the stack's own bucket, at first this run: skiff promote moves it.

` + aboutStack,
		Example: `  skiff up 3f8b6c3fdddb425fab0cf9b88cfa48de
  skiff up models/3f8b6c3fdddb425fab0cf9b88cfa48de --port 4567 --alias champion`,
		RunE: func(cmd *cobra.Command, args []string) error {
			own, rest := theRest(cmd, args)
			flags, err := s.ofBundle(cmd.Context(), &l, first(own))
			if err != nil {
				return err
			}
			if name, ok := alias.Of(s.modelOr(first(own))); ok {
				flags = append(flags, "-alias", name)
			} else if cmd.Flags().Changed("alias") {
				flags = append(flags, "-alias", s.alias)
			}
			return l.run("up", append(l.withPage(append(flags, "-port", strconv.Itoa(port))), rest...)...)
		},
	}
	cmd.Flags().IntVar(&port, "port", 4566, "where Kinesis and S3 answer; 0 is any free port")
	s.startFlags(cmd, &l)
	return cmd
}

func (s *settings) run() *cobra.Command {
	var l localStack
	var rides, predictions string
	var n int
	var bad float64
	cmd := &cobra.Command{
		Use: "run --rides FILE [RUN] [-- FLAGS]", Short: "Score a file of taxi rides through a local stack, and compare", Args: oneRun, ValidArgsFunction: s.completeRun,
		Long: `Starts a local stack, puts the rides of a parquet file on its stream, and compares each prediction with the original pipeline's, where
predictions.parquet beside the rides has them. The last line it prints is a JSON object. Where a ride is lost, or a prediction is not the
pipeline's to the last bit, the exit code is 1. For records of your own: skiff up, then skiff send FILE.

` + aboutStack,
		Example: `  skiff run --rides models/taxi/rides.parquet 3f8b6c3fdddb425fab0cf9b88cfa48de
  skiff run --rides models/taxi/rides.parquet --bad 0.01 --page 127.0.0.1:8090`,
		RunE: func(cmd *cobra.Command, args []string) error {
			own, rest := theRest(cmd, args)
			if rides == "" {
				return usage(errors.New("--rides is missing"))
			}
			flags, err := s.ofBundle(cmd.Context(), &l, first(own))
			if err != nil {
				return err
			}
			flags = append(flags, "-rides", rides)
			for flag, value := range map[string]string{
				"predictions": predictions, "n": strconv.Itoa(n), "bad": strconv.FormatFloat(bad, 'g', -1, 64),
			} {
				if cmd.Flags().Changed(flag) {
					flags = append(flags, "-"+flag, value)
				}
			}
			return l.run("run", append(l.withPage(flags), rest...)...)
		},
	}
	cmd.Flags().StringVar(&rides, "rides", "", "rides in pick-up order, a parquet file")
	cmd.Flags().StringVar(&predictions, "predictions", "", "the pipeline's predictions for them, a column for each run (default: predictions.parquet beside the rides)")
	cmd.Flags().IntVarP(&n, "n", "n", 20_000, "how many rides")
	cmd.Flags().Float64Var(&bad, "bad", 0, "the share of the rides to make bad, in every way there is")
	s.startFlags(cmd, &l)
	return cmd
}

func (s *settings) down() *cobra.Command {
	var l localStack
	cmd := &cobra.Command{
		Use: "down", Short: "Stop the local stack", Args: cobra.NoArgs,
		Long:    "Stops what skiff up left running. That nothing is up is no error. Dead letters are kept, the streams are not.",
		Example: "  skiff down",
		RunE:    func(*cobra.Command, []string) error { return l.run("down") },
	}
	l.programFlag(cmd)
	l.dirFlag(cmd)
	return cmd
}

func (s *settings) replay() *cobra.Command {
	var l localStack
	cmd := &cobra.Command{
		Use: "replay", Short: "Put what was rejected back on the local stack's stream", Args: cobra.NoArgs,
		Long: `Puts what is held back on the stream of the local stack that is up, as it was: dead letters, and what the mapping gave up. Each is a new record
then, behind what came since. A letter is deleted when its record is back; one without its record stays.`,
		Example: "  skiff replay",
		RunE:    func(*cobra.Command, []string) error { return l.run("replay") },
	}
	l.programFlag(cmd)
	l.dirFlag(cmd)
	return cmd
}

// usage marks err as one in how skiff was called.
func usage(err error) error { return hint.With(command.Usage("skiff", err), "skiff --help") }

// markDir has the shell offer folders for a flag.
func markDir(cmd *cobra.Command, flag string) {
	if err := cmd.MarkFlagDirname(flag); err != nil {
		panic(err) // the flag is there
	}
}
