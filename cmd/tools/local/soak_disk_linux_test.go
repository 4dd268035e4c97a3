package main

import (
	"os"
	"path/filepath"
	"testing"
)

// Of each environment's bundle one file is waited for, once, and all are what they are; the model's own folder is left alone.
func TestDisks(t *testing.T) {
	const run = "run"
	models := t.TempDir()
	names := []string{"manifest.json", "model.onnx"}
	for _, name := range names {
		if err := os.MkdirAll(filepath.Join(models, run), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(models, run, name), []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	st := &stack{settings: settings{model: filepath.Join(models, run)}, temp: t.TempDir()}
	defer st.close()
	d, err := st.newDisks(1, run)
	if err != nil {
		t.Fatal(err)
	}
	for environment := 1; environment <= 3; environment++ {
		folder := d.folder(run)
		for range 2 {
			for _, name := range names {
				if data, err := os.ReadFile(filepath.Join(folder, name)); err != nil || string(data) != name || folder == st.settings.model {
					t.Errorf("%s of %s is %q, %v", name, folder, data, err)
				}
			}
		}
		if n := d.count(); n != environment {
			t.Errorf("%d of %d environments had a slow disk", n, environment)
		}
	}
	if got := d.folder("gone"); got != filepath.Join(d.dir, "gone") || d.count() != 3 {
		t.Errorf("a run that is not there is in %s", got)
	}
}
