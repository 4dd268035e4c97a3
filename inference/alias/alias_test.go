package alias_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/skiff-ml/skiff/inference/alias"
	"github.com/skiff-ml/skiff/inference/bundle"
	"github.com/skiff-ml/skiff/inference/hint"
	"github.com/skiff-ml/skiff/inference/store"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

func promote(t *testing.T, files alias.Files, run string) {
	t.Helper()
	m, err := alias.PlanPromote(t.Context(), files, "champion", run, noon)
	if err == nil {
		err = m.Make(t.Context(), files)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// told is a history in short.
func told(t *testing.T, files alias.Files) string {
	t.Helper()
	history, err := alias.History(t.Context(), files, "champion")
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, p := range history {
		lines = append(lines, fmt.Sprintf("%d %s %s", p.Revision, p.By, p.RunID))
	}
	return strings.Join(lines, ", ")
}

func TestMoves(t *testing.T) {
	dir := t.TempDir()
	files := store.Dir(dir)
	if _, err := alias.PlanRollback(t.Context(), files, "champion", noon); !errors.Is(err, alias.ErrNoPrevious) || hint.Of(err) == "" {
		t.Errorf("rolling back nothing: %v", err)
	}
	promote(t, files, "a")
	if _, err := alias.PlanRollback(t.Context(), files, "champion", noon); !errors.Is(err, alias.ErrNoPrevious) {
		t.Errorf("rolling back the first: %v", err)
	}
	promote(t, files, "b")
	back, err := alias.PlanRollback(t.Context(), files, "champion", noon)
	if err != nil || back.To.RunID != "a" || back.To.Previous != "b" || back.To.By != alias.Rollback || back.Same() {
		t.Fatal(back, err)
	}
	if err := back.Make(t.Context(), files); err != nil {
		t.Fatal(err)
	}
	want := "1 promote a, 2 promote b, 3 rollback a"
	if got := told(t, files); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	data, err := os.ReadFile(filepath.Join(dir, alias.File("champion")))
	if err != nil || string(data) != `{"format":1,"revision":3,"run_id":"a","previous":"b","at":"2026-01-02T12:00:00Z","by":"rollback"}`+"\n" {
		t.Errorf("the pointer is %s, %v", data, err)
	}

	same, err := alias.PlanPromote(t.Context(), files, "champion", "a", noon)
	if err != nil || !same.Same() {
		t.Errorf("%v, %v", same, err)
	}
	same.To.Manifest = strings.Repeat("0", 64) // the same run, mended
	if same.Same() || same.To.Previous != "b" {
		t.Errorf("%v", same.To)
	}

	// somebody else was faster
	late, err := alias.PlanPromote(t.Context(), files, "champion", "c", noon)
	if err != nil {
		t.Fatal(err)
	}
	promote(t, files, "d")
	if err := late.Make(t.Context(), files); !errors.Is(err, store.ErrConflict) || hint.Of(err) == "" {
		t.Errorf("a late move: %v", err)
	}
	if got := told(t, files); got != want+", 4 promote d" {
		t.Errorf("got %s", got)
	}

	// a pointer that was deleted: its history goes on
	if err := os.Remove(filepath.Join(dir, alias.File("champion"))); err != nil {
		t.Fatal(err)
	}
	promote(t, files, "e")
	if got := told(t, files); got != want+", 4 promote e" {
		t.Errorf("got %s", got)
	}
}

func TestParseRefuses(t *testing.T) {
	const good = `{"format":1,"revision":3,"run_id":"a","previous":"b","at":"2026-01-02T12:00:00Z","by":"rollback"}`
	if p, err := alias.Parse([]byte(good)); err != nil || p.RunID != "a" {
		t.Fatal(p, err)
	}
	for change, want := range map[string]error{
		`"revision":3 "revision":0`:          alias.ErrPointer,
		`"run_id":"a" "run_id":"../a"`:       bundle.ErrRunID,
		`"previous":"b" "previous":"a/b"`:    bundle.ErrRunID,
		`"previous" "Previous"`:              alias.ErrPointer,
		`"by":"rollback" "by":"me"`:          alias.ErrPointer,
		`"by":"rollback" "manifest":"abc"`:   alias.ErrPointer,
		`"format":1 "format":0`:              alias.ErrPointer,
		`"revision":3 "revision":"3"`:        alias.ErrPointer,
		`"previous":"b", "run_id":"b",`:      alias.ErrPointer, // twice
		`"format":1,"revision":3 "format":1`: alias.ErrPointer,
	} {
		was, is, _ := strings.Cut(change, " ")
		if _, err := alias.Parse([]byte(strings.Replace(good, was, is, 1))); !errors.Is(err, want) {
			t.Errorf("%s: %v", change, err)
		}
	}
	_, err := alias.Parse([]byte(`{"format":2,"runs":[]}`))
	if err == nil || errors.Is(err, alias.ErrPointer) || !strings.HasPrefix(err.Error(), "a later version of skiff wrote the alias's pointer") || hint.Of(err) == "" {
		t.Errorf("of a later format: %v", err)
	}
	for _, name := range []string{"", "a/b", "@a", "a b", strings.Repeat("a", 65)} {
		if err := alias.Check(name); !errors.Is(err, alias.ErrName) || hint.Of(err) == "" {
			t.Errorf("%q is taken: %v", name, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"format":1,"revision":3,"run_id":"a","previous":"b","at":"2026-01-02T12:00:00Z","by":"rollback"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if p, err := alias.Parse(data); err == nil && bundle.CheckRunID(p.RunID) != nil {
			t.Errorf("%q names run %q", data, p.RunID)
		}
	})
}
