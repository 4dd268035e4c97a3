package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
)

func (s *settings) convert() *cobra.Command {
	return &cobra.Command{
		Use: "convert MODEL [FLAGS]", Short: "Convert the pipeline of an MLflow run to a bundle", DisableFlagParsing: true,
		Long: `Converts a scikit-learn pipeline that MLflow has logged to a bundle, and proves that it predicts the same. The last line of stdout is the bundle's
folder. It is the converter's, a Python program: that of the checkout, or the package skiff-convert, which uv installs the first time: a
wheel beside skiff, or else the version of this skiff. SKIFF_CONVERT names another wheel or version.

MODEL is a folder with an MLmodel, runs:/<RUN_ID>/<name> or models:/<name>/<version>; MLFLOW_TRACKING_URI names the tracking store. Converting
unpickles the model, which runs code that comes with it: convert models that you trust.

All flags are the converter's: --spec FILE, --sample FILE, --out FOLDER, --init [FILE], --explain [FILE.svg], --log, --sign KEY and more, which
skiff convert --help lists below this.`,
		Example: `  skiff convert runs:/647b92cac3f44aed924eaaa15405f8e2/model
  skiff convert ./model --init features.toml
  skiff convert ./model --spec features.toml --sample rides.jsonl --out models`,
		ValidArgsFunction: completeConvert,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usage(errors.New("MODEL is missing"))
			}
			if asksForHelp(args) {
				if err := cmd.Help(); err != nil {
					return err
				}
			}
			program, before, env, err := s.converter()
			if err != nil {
				return err
			}
			return handOver(program, append(append([]string{program}, before...), args...), env)
		},
	}
}

// asksForHelp reports whether the converter would print its help.
func asksForHelp(args []string) bool {
	for _, arg := range args {
		if arg == "--help" || arg == "-h" {
			return true
		}
	}
	return false
}

// converter returns how the converter is started: a program, what comes before its
// arguments, and more variables.
func (s *settings) converter() (program string, before, env []string, err error) {
	python := inCheckout("venv", "bin", "python")
	if named := s.getenv("SKIFF_CONVERT"); named == "" && isFile(python) {
		path := filepath.Join(checkout(), "convert")
		if more := s.getenv("PYTHONPATH"); more != "" {
			path += ":" + more
		}
		return python, []string{"-m", "skiff_convert"}, []string{"PYTHONPATH=" + path}, nil
	}
	uv, err := findUV("the converter, a Python program")
	if err != nil {
		return "", nil, nil, err
	}
	return uv, []string{"tool", "run", "--from", s.converterPackage(), "skiff-convert"}, nil, nil
}

// converterPackage returns what uv is to install: what SKIFF_CONVERT names, or the
// wheel beside skiff, or the version of a released skiff, or, of one built from
// source, the latest.
func (s *settings) converterPackage() string {
	const name = "skiff-convert"
	if named := s.getenv("SKIFF_CONVERT"); named != "" {
		return named
	}
	if self, err := os.Executable(); err == nil {
		if wheels, _ := filepath.Glob(filepath.Join(filepath.Dir(self), "skiff_convert-*.whl")); len(wheels) > 0 {
			return wheels[len(wheels)-1]
		}
	}
	v, isRelease := strings.CutPrefix(version(), "v")
	if !isRelease || strings.ContainsAny(v, "-+") { // a commit behind a release is none
		return name
	}
	return name + "==" + v
}

// completeConvert is what the shell offers: the flags that are asked for most.
func completeConvert(_ *cobra.Command, _ []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if !strings.HasPrefix(typed, "-") {
		return nil, cobra.ShellCompDirectiveDefault
	}
	return []cobra.Completion{
		cobra.CompletionWithDesc("--spec", "how a record becomes features, a TOML file"),
		cobra.CompletionWithDesc("--sample", "records as the stream has them, one a line"),
		cobra.CompletionWithDesc("--out", "where the bundle goes"),
		cobra.CompletionWithDesc("--init", "write a first spec"),
		cobra.CompletionWithDesc("--explain", "show what the model computes"),
		cobra.CompletionWithDesc("--log", "put the bundle on the run too"),
		cobra.CompletionWithDesc("--sign", "sign the bundle"),
		cobra.CompletionWithDesc("--accept-bound", "take a step with a measured bound"),
		cobra.CompletionWithDesc("--help", "the converter's help"),
	}, cobra.ShellCompDirectiveDefault
}
