package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/skiff-ml/skiff/cmd/internal/lambdatest/mapping"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"local": main})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata"})
}

// With dead letters it is the records' age that bounds retries, and the command line that has the last word.
func TestBounds(t *testing.T) {
	required := "-run-id r -worker w -model m -ministack s"
	for _, tt := range []struct {
		name, args  string
		deadLetters bool
		retries     int
		age         time.Duration
	}{
		{"run", "-rides f", false, 2, 0},
		{"run", "-rides f -bad 0.01", true, -1, 6 * time.Hour},
		{"run", "-rides f -bad 0.01 -retries 3", true, 3, 6 * time.Hour},
		{"up", "", true, -1, 6 * time.Hour},
		{"serve", "-max-age 60s", true, -1, time.Minute},
		{"up", "-retries 0 -max-age 0s", true, 0, 0},
	} {
		s, err := parse(tt.name, strings.Fields(required+" "+tt.args), func(string) string { return "" })
		if err != nil {
			t.Fatal(err)
		}
		if s.deadLetters != tt.deadLetters || s.mapping.MaximumRetryAttempts != tt.retries || s.mapping.MaximumRecordAge != tt.age || !s.mapping.ReportBatchItemFailures {
			t.Errorf("%s %s: %+v", tt.name, tt.args, s)
		}
	}
}

func TestProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		p := newProgress(&out)
		p.step(func() string { return "at it" })
		<-time.After(2500 * time.Millisecond)
		p.finish("done in %d s", 2)
		<-time.After(2500 * time.Millisecond)
		p.close()
		if got := out.String(); got != "at it\nat it\ndone in 2 s\n" {
			t.Errorf("printed %q", got)
		}
	})
}

func TestLock(t *testing.T) {
	s := settings{dir: t.TempDir()}
	l, err := takeLock(s)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.sign(); err != nil {
		t.Fatal(err)
	}
	if _, err := takeLock(s); !errors.Is(err, errLocked) {
		t.Errorf("a second lock: %v", err)
	}
	if pid, err := lockHolder(s); err != nil || pid != os.Getpid() {
		t.Errorf("held by %d, %v", pid, err)
	}
	if err := waitForLock(t.Context(), s, time.Millisecond); !errors.Is(err, errLocked) {
		t.Errorf("waiting for it: %v", err)
	}
	l.release()
	if err := waitForLock(t.Context(), s, time.Minute); err != nil {
		t.Error(err)
	}
}

func TestOnFailure(t *testing.T) {
	var file bytes.Buffer
	f := &onFailure{file: &file, keys: map[string]bool{}}
	d := mapping.Discarded{Version: "1.0", Records: []mapping.Record{{PartitionKey: "7"}, {PartitionKey: "8"}}}
	for range 2 {
		if err := f.Discard(t.Context(), d); err != nil {
			t.Fatal(err)
		}
	}
	if lines := strings.Count(file.String(), "\n"); lines != 2 || len(f.keys) != 2 || !f.keys["7"] {
		t.Errorf("%d lines, keys %v", lines, f.keys)
	}
	f.file = writerFunc(func([]byte) (int, error) { return 0, io.ErrShortWrite })
	if err := f.Discard(t.Context(), d); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("error %v", err)
	}
}

// Those of a stack that is up are kept, those of a run are that run's.
func TestOnFailureIsKept(t *testing.T) {
	st := &stack{logs: t.TempDir()}
	defer st.close()
	for i, want := range []int{1, 2, 1} {
		f, err := st.newOnFailure(i == 1)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Discard(t.Context(), mapping.Discarded{}); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(filepath.Join(st.logs, "on-failure.jsonl"))
		if lines := strings.Count(string(data), "\n"); err != nil || lines != want {
			t.Errorf("%d lines, want %d; %v", lines, want, err)
		}
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
