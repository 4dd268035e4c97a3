//go:build integration

package failures

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A claim is a part of what docs/operate.md says of a situation, and the tests that play it: of this package, or another's, which `make test` runs as well.
type claim struct {
	says  string
	tests []string
}

// A situation is a row of the documents' table, of which the claims are made up, one behind the other.
type situation struct {
	what   string
	claims []claim
}

func policy() []situation {
	tests := func(names ...string) []string { return names }
	return []situation{
		{"a record that can never succeed", []claim{
			{"logged with its reason, and sent to `DEAD_LETTER`. ", tests("TestEveryReason")},
			{"Once that has confirmed it, it is dealt with: no retry, no waiting, the rest of the batch goes on", tests("TestDeadLettered")},
		}},
		{"no `DEAD_LETTER` is set", []claim{
			{"it is reported as a batch item failure, and comes again with all that is behind it, until the mapping gives it up; ", tests("TestComesAgain", "TestAmplificationOfTheWorker")},
			{"or the invocation fails, where nobody reads the report", tests("TestUnreported")},
		}},
		{"the dead-letter target fails", []claim{
			{"the record is to be tried again, like an unsent one", tests("TestDeadLetterTargetFails")},
		}},
		{"the stream throttles, fails in part, times out", []claim{
			{"the failed records again, ", tests("TestStreamThatFails")},
			{"with backoff and jitter; ", tests("inference.TestWaitsSpread")},
			{"what is unsent half a second before the function's timeout is reported, ", tests("inference.TestPublishStopsInTime", "TestUnsentIsReported")},
			{"with the service's last words in the log", tests("TestUnsentIsReported")},
		}},
		{"the stream will never take them (no such stream, no permission, expired credentials)", []claim{
			{"the invocation fails, with the reason and what to do; ", tests("TestNeverTaken")},
			{"the mapping tries again", tests("TestOutagesOfTheWorker")},
		}},
		{"an event of another service", []claim{
			{"an error that names it, but for [these](stream.md#other-ways-in); ", tests("TestForeignEventsAreNamed")},
			{"an empty event, a warm-up ping and a schedule are answered; ", tests("TestEmptyEventsAreAnswered")},
			{"a tumbling window's state goes back", tests("TestStateGoesBack")},
		}},
		{"the bundle is missing, altered, of another run, not equal to its goldens, or anything that the converter does not write", []claim{
			{"the worker does not start: one line with the reason, one with a hint, ", tests("TestStart")},
			{"of each of a hundred damages within 200 MB and, on a machine with nothing else to do, a second. ", tests("cmd/worker.TestDamagedBundlesAreRefused")},
			{"onnxruntime sees no graph before it is [checked](../inference/bundle/SPEC.md#what-may-be-in-a-bundle)", tests("cmd/worker.TestDamagedBundlesAreRefused")},
		}},
		{"SIGTERM", []claim{
			{"what is under way is finished within its time; ", tests("cmd/worker.TestSIGTERMInLambda")},
			{"what comes then is handed back", tests("cmd/worker.TestSIGTERMInLambda")},
		}},
	}
}

// The documents' table of what happens when something is wrong says what is played, and nothing else: each of its rows, word by word. And what is played
// here has a row.
func TestDocumentedTable(t *testing.T) {
	const here = "cmd/internal/lambdatest/failures"
	page, err := os.ReadFile(absolute(t, "docs/operate.md"))
	check(t, err)
	rows, plays := tableOf(t, string(page), "## When something is wrong"), map[string]bool{}
	for _, s := range policy() {
		then := ""
		for _, c := range s.claims {
			then += c.says
			for _, name := range c.tests {
				dir, test := here, name
				if i := strings.LastIndex(name, "."); i >= 0 {
					dir, test = name[:i], name[i+1:]
				}
				plays[test] = true
				if tags, ok := testsOf(t, dir)[test]; !ok || tags && dir != here {
					t.Errorf("%s: %s has no %s that always runs", s.what, dir, test)
				}
			}
		}
		if said, ok := rows[s.what]; !ok {
			t.Errorf("it is played, and docs/operate.md has no such row: %s", s.what)
		} else if said != then {
			t.Errorf("%s: docs/operate.md says\n%s\nand what is played is\n%s", s.what, said, then)
		}
		delete(rows, s.what)
	}
	for what := range rows {
		t.Errorf("docs/operate.md has a row that nobody plays: %s", what)
	}
	for test, tags := range testsOf(t, here) {
		// How good records leave has sections of its own.
		if tags && !plays[test] && !slices.Contains([]string{"TestDocumentedTable", "TestAggregates", "TestOrdered", "TestPackedRecords", "TestMain"}, test) {
			t.Errorf("it is played, and docs/operate.md has no row of it: %s", test)
		}
	}
}

// tableOf are the rows of the first table behind a heading: the second cell by the first.
func tableOf(t *testing.T, text, heading string) map[string]string {
	t.Helper()
	_, section, ok := strings.Cut(text, "\n"+heading+"\n")
	_, table, rules := strings.Cut(section, "\n|---|---|\n")
	if !ok || !rules {
		t.Fatalf("there is no table under %s", heading)
	}
	rows := map[string]string{}
	for line := range strings.Lines(table) {
		cells := strings.Split(strings.TrimSuffix(strings.TrimPrefix(line, "| "), " |\n"), " | ")
		if !strings.HasPrefix(line, "|") {
			break
		}
		if len(cells) != 2 || rows[cells[0]] != "" {
			t.Fatalf("no row, or one that is there already: %s", line)
		}
		rows[cells[0]] = cells[1]
	}
	return rows
}

// testsOf are the tests of a package that are not skipped, and whether they have a build tag.
func testsOf(t *testing.T, dir string) map[string]bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(absolute(t, dir), "*_test.go"))
	check(t, err)
	tests, function := map[string]bool{}, regexp.MustCompile(`(?ms)^func (Test\w+)\(\w+ \*testing\.[TM]\) \{\n(.*?)^\}`)
	for _, file := range files {
		source, err := os.ReadFile(file)
		check(t, err)
		for _, found := range function.FindAllSubmatch(source, -1) {
			if !strings.Contains(string(found[2]), "t.Skip") {
				tests[string(found[1])] = strings.HasPrefix(string(source), "//go:build integration\n")
			}
		}
	}
	return tests
}
