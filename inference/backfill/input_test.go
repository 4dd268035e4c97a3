package backfill

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/skiff-ml/skiff/inference"
	"github.com/skiff-ml/skiff/inference/hint"
)

// zip compresses a file beside it, in two members, as `cat a.gz b.gz` is.
func zip(t *testing.T, file string) string {
	t.Helper()
	text := read(t, file)
	var b bytes.Buffer
	for _, part := range []string{text[:len(text)/2], text[len(text)/2:]} {
		w := gzip.NewWriter(&b)
		if _, err := w.Write([]byte(part)); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(file+".gz", b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return file + ".gz"
}

// cat is a program that writes a file's lines.
func cat(file string, lines int) *Input {
	return Written(file, 1, "", lines, func(ctx context.Context, skip int) (*exec.Cmd, error) {
		return exec.CommandContext(ctx, "tail", "-n", fmt.Sprintf("+%d", skip+1), file), nil
	})
}

// Whatever an input is, it is stopped in any batch and goes on to the same files.
func TestInputsGoOn(t *testing.T) {
	file, predictions, rejected := write(t, 3500)
	for name, in := range map[string]*Input{"lines": input(t, file), "gzip": input(t, zip(t, file)), "program": cat(file, 3500)} {
		for at := 1; at <= 4; at++ {
			to := filepath.Join(t.TempDir(), "out")
			job := Job{Input: in, To: to, RunID: "run1", Keep: true}
			ctx, cancel := context.WithCancel(t.Context())
			batches = 0
			if _, err := job.Run(ctx, echo{func(batch int) {
				if batch == at {
					cancel()
				}
			}}, quiet); !errors.Is(err, context.Canceled) {
				t.Fatal(name, err)
			}
			for range 2 { // the second has nothing to do
				done, err := job.Run(t.Context(), echo{}, quiet)
				if err != nil || done.Lines != 3500 || done.Predicted+done.Rejected != 3500 {
					t.Errorf("%s: %+v, %v", name, done, err)
				}
			}
			if batches > 4 {
				t.Errorf("%s: %d batches", name, batches)
			}
			if read(t, to) != predictions || fmt.Sprint(letters(t, to)) != fmt.Sprint(rejected) {
				t.Errorf("%s: stopped in batch %d, the files are others", name, at)
			}
		}
	}
}

// How much is read is told, of what is compressed and of what a program writes as well.
func TestShare(t *testing.T) {
	file, _, _ := write(t, 3500)
	for name, in := range map[string]*Input{"lines": input(t, file), "gzip": input(t, zip(t, file)), "program": cat(file, 3500)} {
		var last float64
		job := Job{Input: in, To: filepath.Join(t.TempDir(), "out"), RunID: "run1", Report: func(p Progress) { last = p.Share }}
		if _, err := job.Run(t.Context(), echo{}, quiet); err != nil || last != 1 {
			t.Errorf("%s: %v, %v", name, last, err)
		}
	}
}

func TestDamagedInputs(t *testing.T) {
	file, _, _ := write(t, 3500)
	whole := read(t, zip(t, file))
	for name, test := range map[string]struct{ file, says string }{
		"cut":      {whole[:len(whole)-3], "is cut short, or damaged"},
		"cut soon": {whole[:5], "is cut short, or damaged"},
		"changed":  {whole[:len(whole)-8] + "12345678", "is cut short, or damaged"},
		"none":     {"{}\n", "is not compressed by gzip"},
	} {
		bad := filepath.Join(t.TempDir(), "rides.jsonl.gz")
		if err := os.WriteFile(bad, []byte(test.file), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := (Job{Input: input(t, bad), To: bad + ".out", RunID: "run1"}).Run(t.Context(), echo{}, quiet); err == nil || !strings.Contains(err.Error(), test.says) || hint.Of(err) == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := File(t.TempDir()); err == nil || hint.Of(err) == "" {
		t.Error(err)
	}
}

// A program that fails is no end of the lines, however many it wrote.
func TestProgramsThatFail(t *testing.T) {
	for script, want := range map[string]string{
		`echo "{}"; echo "rows: error: column a is no list" >&2; echo "hint: mend it" >&2; exit 1`: "column a is no list|mend it",
		`echo "{}"; echo one >&2; echo two >&2; exit 3`:                                            "reading x.parquet: exit status 3: two|",
		`echo "{}"; kill -9 $$`: "reading x.parquet: signal: killed|",
	} {
		in := Written("x.parquet", 1, "", 1, func(ctx context.Context, _ int) (*exec.Cmd, error) {
			return exec.CommandContext(ctx, "sh", "-c", script), nil
		})
		to := filepath.Join(t.TempDir(), "out")
		_, err := Job{Input: in, To: to, RunID: "run1"}.Run(t.Context(), echo{}, quiet)
		if err == nil || err.Error()+"|"+hint.Of(err) != want {
			t.Errorf("%s: %v", script, err)
		}
		if _, err := os.Stat(to + ".progress"); err != nil {
			t.Errorf("%s: it is done? %v", script, err)
		}
	}
	in := Written("x.parquet", 1, "", 1, func(ctx context.Context, _ int) (*exec.Cmd, error) {
		return exec.CommandContext(ctx, filepath.Join(t.TempDir(), "none")), nil
	})
	if _, err := (Job{Input: in, To: filepath.Join(t.TempDir(), "out"), RunID: "run1"}).Run(t.Context(), echo{}, quiet); err == nil {
		t.Error("there is no such program")
	}
}

// A model that is changed in the middle predicts for nobody.
func TestAnotherModel(t *testing.T) {
	file, _, _ := write(t, 10)
	if _, err := (Job{Input: input(t, file), To: file + ".out", RunID: "run2"}).Run(t.Context(), echo{}, quiet); !errors.Is(err, ErrAnother) {
		t.Error(err)
	}
}

// A file that has changed, though it is as long, is told.
func TestAFileThatChanged(t *testing.T) {
	file, _, _ := write(t, 10)
	in := input(t, file)
	job := Job{Input: in, To: file + ".out", RunID: "run1", Keep: true}
	if _, err := job.Run(t.Context(), echo{}, quiet); err != nil {
		t.Fatal(err)
	}
	in.Tag = "another"
	if _, err := job.Run(t.Context(), echo{}, quiet); err == nil || !strings.Contains(err.Error(), "has changed since it was begun") || hint.Of(err) == "" {
		t.Error(err)
	}
	in.Tag, job.Meta = "", true
	if _, err := job.Run(t.Context(), echo{}, quiet); err == nil || !strings.Contains(err.Error(), "other lines") || hint.Of(err) == "" {
		t.Error(err)
	}
}

// A file on disk is the same in another folder; two in S3 are two.
func TestNames(t *testing.T) {
	for name, want := range map[string]string{"a/b.jsonl": "b.jsonl:1", "s3://a/b.jsonl": "s3://a/b.jsonl:1"} {
		var b inference.Batch
		if ok, err := newLines(strings.NewReader("{}\n"), name, 0, 0).fill(&b); !ok || err != nil || string(b.Items[0].EventID) != want {
			t.Errorf("%s: %s, %v", name, b.Items[0].EventID, err)
		}
	}
}

// Two at the same files would write each other's.
func TestTwoAtOnce(t *testing.T) {
	file, _, _ := write(t, 10)
	job := Job{Input: input(t, file), To: file + ".out", RunID: "run1"}
	batches = 0
	_, err := job.Run(t.Context(), echo{func(int) {
		if _, err := job.Run(t.Context(), echo{}, quiet); err == nil || !strings.Contains(err.Error(), "somebody else writes") || hint.Of(err) == "" {
			t.Error(err)
		}
	}}, quiet)
	if err != nil {
		t.Error(err)
	}
}
