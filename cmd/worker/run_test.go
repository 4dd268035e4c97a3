package main

import (
	"strings"
	"testing"
)

// An event file may be what an editor made of it.
func TestEventFiles(t *testing.T) {
	for name, test := range map[string]struct{ file, minutes string }{
		"UTF-8":                        {tutorialEvent, "14.594111351870303"},
		"UTF-8 with a byte order mark": {"testdata/event-bom-file.json", "16.295528169620887"},
		"UTF-16":                       {"testdata/event-utf16.json", "16.295528169620887"},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := workerCommand(t, "-event", test.file)
			cmd.Env = append(cmd.Env, "TEST_RUN=True")
			w := startWorker(t, cmd)
			w.end(t, 0)
			if got := w.stdout.String(); !strings.HasSuffix(got, `"prediction":{"ride_duration":`+test.minutes+`,"ride_id":156}}]}`+"\n") {
				t.Errorf("answered %s", got)
			}
		})
	}
}

func TestUTF8Of(t *testing.T) {
	for file, want := range map[string]string{
		"":                              "",
		"{}":                            "{}",
		"\xef\xbb\xbf{}":                "{}",
		"\xff\xfe{\x00}\x00":            "{}",
		"\xfe\xff\x00{\x00}":            "{}",
		"\xff\xfe\x3d\xd8\x97\xde":      "🚗",
		"\xff\xfe":                      "",
		"\xef\xbb\xbf\xef\xbb\xbf{}":    "\ufeff{}", // one mark is a mark
		"\xff\xfe\x3d\xd8{\x00}\x00":    "\ufffd{}", // half a character
		"{\"a\": \"\xef\xbb\xbf\xff\"}": "{\"a\": \"\ufeff\xff\"}",
	} {
		if got := string(utf8Of([]byte(file))); got != want {
			t.Errorf("%q: got %q, want %q", file, got, want)
		}
	}
}
