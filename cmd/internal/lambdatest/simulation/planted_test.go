//go:build integration

package simulation

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// A plant is a fault to plant in the product: an old text of a file, which is there once, is replaced.
type plant struct {
	name      string
	file      string // in inference/
	old, with string
	found     string // the invariants that it may violate
}

func plants() []plant {
	return []plant{
		{
			"it reports from the record after the first that is unsent", "source/answer.go",
			"\tfor n, at := range undealt {\n", "\tfor n, at := range undealt[min(1, len(undealt)-1):] {\n", "answered",
		},
		{
			"it reports as many records as are unsent, and the first ones", "source/kinesis.go",
			"response := i.answer(payload, t, undealt)\n",
			"shifted := make([]int, len(undealt))\n\tfor n := range shifted {\n\t\tshifted[n] = n\n\t}\n\tresponse := i.answer(payload, t, shifted)\n",
			"checkpoint|answered",
		},
		{
			"a dead letter counts before it is confirmed", "outcome.go",
			"unsent, err := deliver(ctx, *e.deadLetters, letters)\n", "_, err := deliver(ctx, *e.deadLetters, letters)\n\tvar unsent []int\n", "answered",
		},
		{
			"the entries that PutRecords refused are one off", "sink/kinesis.go",
			"failed = append(failed, i)", "failed = append(failed, (i+1)%records)", "answered|checkpoint|lost|repeated",
		},
		{
			"what is refused a second time has the place of another message", "retry.go",
			"pending, left = pick(pending, failed), pick(left, failed)", "pending, left = failed, pick(left, failed)", "answered|checkpoint",
		},
		{
			"what is unsent at the deadline is dropped", "retry.go",
			"\treturn result{pending, last}\n", "\tif ctx.Err() != nil {\n\t\treturn result{}\n\t}\n\treturn result{pending, last}\n", "answered",
		},
		{
			"an invocation whose time is up before it sends anything is a success", "retry.go",
			"left, last := messages, errNoTime\n", "left, last := messages, error(nil)\n\tif ctx.Err() != nil {\n\t\tpending = nil\n\t}\n", "answered|panicked",
		},
		{
			"the unsent of a later request have the places of the first", "retry.go",
			"unsent = append(unsent, chunks[i].start+m)", "unsent = append(unsent, chunks[i-i].start+m)", "answered|checkpoint",
		},
		{
			"what is not dealt with is a success where nobody reads reports", "source/kinesis.go",
			"if len(undealt) > 0 && !k.Reported {", "if len(undealt) > len(b.Items) && !k.Reported {", "answered",
		},
		{
			"a permanent error of the output is none", "outcome.go",
			"\tfor _, m := range unsent {\n\t\tb.Outcomes[b.Sent[m]]", "\tif errors.Is(err, ErrPermanent) {\n\t\treturn nil\n\t}\n\tfor _, m := range unsent {\n\t\tb.Outcomes[b.Sent[m]]", "answered",
		},
		{
			"a tumbling window's state does not go back", "source/answer.go",
			"end = append(append(end, stateHead...), state...)", "_ = state", "stuck|lost",
		},
		{
			"an answer that lacks an entry is taken for a whole one", "sink/kinesis.go",
			"case len(out.Records) != records ||", "case len(out.Records) > records ||", "answered",
		},
	}
}

// Each fault that is planted is found, with a seed and a short history, within a minute's histories.
func TestPlanted(t *testing.T) {
	const histories = "100000" // in a minute, and more
	root, err := filepath.Abs("../../../../inference")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range plants() {
		t.Run(p.name, func(t *testing.T) {
			dir := t.TempDir()
			file := filepath.Join(root, p.file)
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if n := strings.Count(string(source), p.old); n != 1 {
				t.Fatalf("%s has %d places for it", p.file, n)
			}
			planted, overlay, binary := filepath.Join(dir, "planted.go"), filepath.Join(dir, "overlay.json"), filepath.Join(dir, "simulation.test")
			replace, err := json.Marshal(map[string]map[string]string{"Replace": {file: planted}})
			if err != nil {
				t.Fatal(err)
			}
			for name, data := range map[string][]byte{planted: []byte(strings.Replace(string(source), p.old, p.with, 1)), overlay: replace} {
				if err := os.WriteFile(name, data, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if out, err := exec.CommandContext(t.Context(), "go", "test", "-c", "-overlay", overlay, "-o", binary, ".").CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			out, err := exec.CommandContext(t.Context(), binary, "-test.run", "^TestSimulate$", "-test.timeout", "1m", "-seeds", histories).CombinedOutput()
			told := regexp.MustCompile(`seed \d+: (` + p.found + `): [^\n]*\n *the shortest history: [^\n]*\n[^\n]*`).Find(out)
			if err == nil || told == nil {
				t.Errorf("it is not found: %v\n%s", err, out)
			}
			t.Logf("%s", told)
		})
	}
}
