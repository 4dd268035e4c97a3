package command_test

import (
	"errors"
	"flag"
	"fmt"
	"strings"
	"testing"

	"github.com/skiff-ml/skiff/cmd/internal/command"
	"github.com/skiff-ml/skiff/inference/hint"
)

func TestExit(t *testing.T) {
	broke := errors.Join(errors.New("it broke"), errors.New("twice"))
	for _, tt := range []struct {
		err   error
		code  int
		print string
	}{
		{nil, 0, ""},
		{flag.ErrHelp, 0, ""},
		{broke, 1, "row: error: it broke; twice\n"},
		{hint.With(broke, "mend it"), 1, "row: error: it broke; twice\nhint: mend it\n"},
		{
			fmt.Errorf("around: %w", hint.With(command.WithLog(broke, []string{"crack", "splash"}), "mend it")), 1,
			"row: error: around: it broke; twice\n  | crack\n  | splash\nhint: mend it\n",
		},
		{command.Usage("row", errors.New("how many oars?")), 2, "row: error: how many oars?\nhint: row -help\n"},
	} {
		var stderr strings.Builder
		if code := command.Exit("row", tt.err, &stderr); code != tt.code || stderr.String() != tt.print {
			t.Errorf("%v: exit %d, printed %q", tt.err, code, stderr.String())
		}
	}
}
