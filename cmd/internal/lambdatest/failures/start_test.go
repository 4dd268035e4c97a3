//go:build integration

package failures

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/skiff-ml/skiff/cmd/internal/lambdatest/runtimeapi"
	"github.com/skiff-ml/skiff/cmd/internal/shipped"
)

// A worker whose bundle is not what it should be does not start, and says why in one line, with a hint: to Lambda, which tells whoever invokes.
func TestStart(t *testing.T) {
	golden := regexp.MustCompile(`("ride_duration": )\d`)
	for _, tt := range []struct {
		name   string
		spoil  func(dir string) error // nil: as it is
		runID  string
		reason string
	}{
		{"whole", nil, "", ""},
		{"missing", os.RemoveAll, "", "manifest.json: no such file or directory"},
		{"half", func(dir string) error { return os.Remove(filepath.Join(dir, "model.onnx")) }, "", "is not whole"},
		{"altered", func(dir string) error { return alter(dir, "model.onnx", func(s string) string { return s + "x" }) }, "", "model.onnx of run [0-9a-f]+ was altered"},
		{"of another run", nil, strings.Repeat("f", 32), "the bundle is of another run"},
		{"not equal to its goldens", func(dir string) error {
			err := alter(dir, "golden.jsonl", func(s string) string { return golden.ReplaceAllString(s, "${1}9") })
			return errors.Join(err, sign(dir, "golden.jsonl"))
		}, "", "is not equal to its golden 1: it predicts"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "bundle")
			check(t, os.CopyFS(dir, os.DirFS(forest(t))))
			if tt.spoil != nil {
				check(t, tt.spoil(dir))
			}
			f, _ := newFunction(t, time.Second, []string{
				"MODEL_LOCATION=" + dir, "RUN_ID=" + tt.runID, "TEST_RUN=True", "ONNXRUNTIME_LIB=" + shipped.Library(t),
			})
			err := f.Start(t.Context())
			if tt.reason == "" {
				check(t, err)
				return
			}
			start, ok := errors.AsType[*runtimeapi.StartError](err)
			if !ok {
				t.Fatalf("error %v", err)
			}
			if !regexp.MustCompile(`^[^\n]*`+tt.reason+`[^\n]*; hint: [^\n]+$`).MatchString(start.Init) || start.Reason != "exit status 1" {
				t.Errorf("it ended with %s, and Lambda was told %q", start.Reason, start.Init)
			}
		})
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func alter(dir, name string, change func(string) string) error {
	file := filepath.Join(dir, name)
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	return os.WriteFile(file, []byte(change(string(data))), 0o600)
}

// sign has the manifest vouch for a file that was altered.
func sign(dir, name string) error {
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return err
	}
	sum := sha256.Sum256(data)
	raw, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
	if err != nil {
		return err
	}
	var m struct{ Files map[string]string }
	if err := json.Unmarshal(raw, &m); err != nil {
		return err
	}
	return alter(dir, "manifest.json", func(s string) string { return strings.Replace(s, m.Files[name], hex.EncodeToString(sum[:]), 1) })
}
