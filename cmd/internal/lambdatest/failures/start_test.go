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

	"skiff/cmd/internal/lambdatest/runtimeapi"
)

// A worker whose bundle is not what it should be does not start, and says why in one line, with a hint: to Lambda, which tells whoever invokes.
func TestStart(t *testing.T) {
	golden := regexp.MustCompile(`("ride_duration": )\d`)
	for _, tt := range []struct {
		name   string
		spoil  func(t *testing.T, dir string)
		runID  string
		reason string
	}{
		{"whole", func(*testing.T, string) {}, "", ""},
		{"missing", func(t *testing.T, dir string) { check(t, os.RemoveAll(dir)) }, "", "manifest.json: no such file or directory"},
		{"half", func(t *testing.T, dir string) { check(t, os.Remove(filepath.Join(dir, "model.onnx"))) }, "", "is not whole"},
		{"altered", func(t *testing.T, dir string) { alter(t, dir, "model.onnx", func(s string) string { return s + "x" }) }, "", "model.onnx of run [0-9a-f]+ was altered"},
		{"of another run", func(*testing.T, string) {}, strings.Repeat("f", 32), "the bundle is of another run"},
		{"not equal to its goldens", func(t *testing.T, dir string) {
			alter(t, dir, "golden.jsonl", func(s string) string { return golden.ReplaceAllString(s, "${1}9") })
			sign(t, dir, "golden.jsonl")
		}, "", "is not equal to its golden 1: it predicts"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "bundle")
			check(t, os.CopyFS(dir, os.DirFS(forest(t))))
			tt.spoil(t, dir)
			f := newFunction(t, time.Second, []string{
				"MODEL_LOCATION=" + dir, "RUN_ID=" + tt.runID, "TEST_RUN=True", "ONNXRUNTIME_LIB=" + absolute(t, ".build/lib/libonnxruntime.so"),
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

func alter(t *testing.T, dir, name string, change func(string) string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, name))
	check(t, err)
	check(t, os.WriteFile(filepath.Join(dir, name), []byte(change(string(data))), 0o600))
}

// sign has the manifest vouch for a file that was altered.
func sign(t *testing.T, dir, name string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, name))
	check(t, err)
	sum := sha256.Sum256(data)
	raw, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
	check(t, err)
	var m struct{ Files map[string]string }
	check(t, json.Unmarshal(raw, &m))
	alter(t, dir, "manifest.json", func(s string) string { return strings.Replace(s, m.Files[name], hex.EncodeToString(sum[:]), 1) })
}
