//go:build integration

package main

import (
	"context"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"
)

// settling is how long a session may take to show what it should: a record is
// on its way for a moment.
const settling = 30 * time.Second

// documented are the documents with sessions, in the order in which they run.
var documented = []string{"README.md", "docs/convert.md", "docs/stream.md", "docs/operate.md"}

// TestREADME runs every session of the README and of the pages behind it, in
// order, and compares what they print on stdout.
func TestREADME(t *testing.T) {
	const root = "../../.."
	t.Cleanup(func() {
		if out, err := bash(context.Background(), root, "make down"); err != nil {
			t.Errorf("make down: %v: %s", err, out)
		}
	})
	var sessions []session
	for _, name := range documented {
		page, err := os.ReadFile(root + "/" + name)
		if err != nil {
			t.Fatal(err)
		}
		sessions = append(sessions, sessionsOf(string(page))...)
	}
	if len(sessions) < 6 {
		t.Fatalf("%d sessions", len(sessions))
	}
	exports := ""
	for _, s := range sessions {
		ctx, cancel := context.WithTimeout(t.Context(), settling)
		var got string
		var err error
		for ok := false; !ok; {
			got, err = bash(t.Context(), root, exports+s.commands)
			ok = err == nil && s.printed.MatchString(got)
			if !ok && ctx.Err() != nil {
				t.Errorf("$ %s\ngot (%v):\n%s\nwant:\n%s", s.commands, err, got, s.printed)
				break
			}
		}
		cancel()
		for line := range strings.Lines(s.commands) {
			if strings.HasPrefix(line, "export ") {
				exports += line
			}
		}
	}
}

// bash runs commands in dir and returns their stdout.
func bash(ctx context.Context, dir, commands string) (string, error) {
	cmd := exec.CommandContext(ctx, "bash", "-euo", "pipefail", "-c", commands)
	cmd.Dir = dir
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	return string(out), err
}

// A session is a block of console in a document: commands after a $, between
// what they print.
type session struct {
	commands string
	printed  *regexp.Regexp
}

func sessionsOf(readme string) []session {
	var sessions []session
	for _, block := range strings.Split(readme, "```console\n")[1:] {
		block, _, _ = strings.Cut(block, "```")
		var commands, printed strings.Builder
		for line := range strings.Lines(block) {
			if command, ok := strings.CutPrefix(line, "$ "); ok {
				commands.WriteString(command)
			} else {
				printed.WriteString(line)
			}
		}
		sessions = append(sessions, session{commands.String(), pattern(printed.String())})
	}
	return sessions
}

// varying are the parts of a session that are other ones each time: an
// ellipsis, and figures of time.
var varying = regexp.MustCompile(`…|\d+(?:\.\d+)? (?:ms|s|records/s)\b|"(?:records_per_s|seconds)":[\d.]+`)

// pattern returns the expression that matches text, but for what varies.
func pattern(text string) *regexp.Regexp {
	var b strings.Builder
	b.WriteString(`\A`)
	end := 0
	for _, at := range varying.FindAllStringIndex(text, -1) {
		b.WriteString(regexp.QuoteMeta(text[end:at[0]]))
		part := text[at[0]:at[1]]
		if part == "…" {
			b.WriteString(`.*`)
		} else {
			b.WriteString(figure.ReplaceAllString(regexp.QuoteMeta(part), `[\d.]+`))
		}
		end = at[1]
	}
	b.WriteString(regexp.QuoteMeta(text[end:]) + `\z`)
	return regexp.MustCompile(b.String())
}

var figure = regexp.MustCompile(`\d+(\\\.\d+)?`)
