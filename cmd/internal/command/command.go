// Package command is how skiff's commands say what went wrong, and end.
package command

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"

	"github.com/skiff-ml/skiff/inference/hint"
)

type usage struct{ error }

func (u usage) Unwrap() error { return u.error }

// Usage marks err as one in how the named command was called, and points to
// the command's help.
func Usage(name string, err error) error {
	return hint.With(usage{err}, name+" -help")
}

// Parse parses the flags of a command that has no other arguments. Asked for
// help it prints the usage, and returns [flag.ErrHelp].
func Parse(flags *flag.FlagSet, args []string, usage string, stderr io.Writer) error {
	flags.SetOutput(io.Discard)
	err := flags.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(stderr, usage)
		return err
	case err != nil:
		return Usage(flags.Name(), err)
	case flags.NArg() > 0:
		return Usage(flags.Name(), fmt.Errorf("what is %q?", flags.Arg(0)))
	}
	return nil
}

type logged struct {
	error
	lines []string
}

func (l logged) Unwrap() error { return l.error }

// WithLog returns err with lines of a log that show it.
func WithLog(err error, lines []string) error { return logged{err, lines} }

// Exit prints err, if it is one, as the named command's: in one line, then the
// lines of its log, then its hint. It returns the process's exit code: 0, 1
// after an error, 2 after wrong usage.
func Exit(name string, err error, stderr io.Writer) int {
	if err == nil || errors.Is(err, flag.ErrHelp) {
		return 0
	}
	fmt.Fprintf(stderr, "%s: error: %s\n", name, OneLine(err))
	if l, ok := errors.AsType[logged](err); ok {
		for _, line := range l.lines {
			fmt.Fprintf(stderr, "  | %s\n", line)
		}
	}
	if advice := Hint(err); advice != "" {
		fmt.Fprintf(stderr, "hint: %s\n", advice)
	}
	if _, ok := errors.AsType[usage](err); ok {
		return 2
	}
	return 1
}

// OneLine returns what err says, with its line breaks gone.
func OneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }
