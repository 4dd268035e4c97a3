package measuring

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"

	"skiff/inference"
)

// ErrUsage marks an error in how a command was called.
var ErrUsage = errors.New("usage")

// ExitCode prints err, if it is one, as the named command's, and returns the
// process's exit code: 0, 1 after an error, 2 after wrong usage.
func ExitCode(command string, err error, stderr io.Writer) int {
	if err == nil || errors.Is(err, flag.ErrHelp) {
		return 0
	}
	fmt.Fprintf(stderr, "%s: error: %s\n", command, strings.ReplaceAll(strings.TrimPrefix(err.Error(), "usage: "), "\n", "; "))
	if hint := inference.Hint(err); hint != "" {
		fmt.Fprintf(stderr, "hint: %s\n", hint)
	}
	if errors.Is(err, ErrUsage) {
		return 2
	}
	return 1
}
