package library_test

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/skiff-ml/skiff/cmd/internal/library"
)

func TestFind(t *testing.T) {
	name, versioned := "libonnxruntime.so", "libonnxruntime.so.1.32.0"
	if runtime.GOOS == "darwin" {
		name, versioned = "libonnxruntime.dylib", "libonnxruntime.1.32.0.dylib"
	}
	const packages = "uv/tools/skiff-convert/lib/python3.11/site-packages"
	for _, test := range []struct {
		what, named string
		there       []string
		want        string // below the test's folder, but for what is named
	}{
		{"what is named", "/a/lib.so", []string{"bin/" + name}, "/a/lib.so"},
		{"beside the worker", "", []string{"bin/" + name, "lib/" + name}, "bin/" + name},
		{"a release's archive", "", []string{"lib/" + name, "data/skiff/onnxruntime/capi/" + versioned}, "lib/" + name},
		{
			"what Install installs", "",
			[]string{"data/skiff/onnxruntime/capi/" + versioned, "data/" + packages + "/onnxruntime/capi/" + versioned},
			"data/skiff/onnxruntime/capi/" + versioned,
		},
		{"the converter's", "", []string{"data/" + packages + "/onnxruntime/capi/" + versioned}, "data/" + packages + "/onnxruntime/capi/" + versioned},
		{"nothing", "", nil, "/opt/lib/" + name},
	} {
		t.Run(test.what, func(t *testing.T) {
			folder := t.TempDir()
			t.Chdir(folder)
			t.Setenv("XDG_DATA_HOME", filepath.Join(folder, "data"))
			put(t, folder, test.there...)
			want := test.want
			if !filepath.IsAbs(want) {
				want = filepath.Join(folder, want)
			}
			if got := library.Find(test.named, filepath.Join(folder, "bin")); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}

func TestFindOperators(t *testing.T) {
	const capi, converters = "onnxruntime/capi/", "skiff_convert/libskiff.so"
	for _, test := range []struct {
		what, named string
		there       []string
		want        string // below the test's folder, but for what is named
	}{
		{"what is named", "none", []string{capi + "libskiff.so"}, "none"},
		{"beside onnxruntime", "", []string{capi + "libskiff.so", converters}, capi + "libskiff.so"},
		{"the converter's", "", []string{converters}, converters},
		{"nothing", "", nil, capi + "libskiff.so"},
	} {
		t.Run(test.what, func(t *testing.T) {
			folder := t.TempDir()
			put(t, folder, test.there...)
			want := test.want
			if test.named == "" {
				want = filepath.Join(folder, want)
			}
			if got := library.FindOperators(test.named, filepath.Join(folder, capi, "libonnxruntime.so")); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}

// put makes empty files in the folder.
func put(t *testing.T, folder string, files ...string) {
	t.Helper()
	for _, file := range files {
		path := filepath.Join(folder, file)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// The command that a hint shows installs what the project is tested with.
func TestInstall(t *testing.T) {
	pinned, err := os.ReadFile("../../../.tools/python/onnxruntime.in")
	if err != nil {
		t.Fatal(err)
	}
	if version := strings.TrimSpace(string(pinned)); !strings.HasSuffix(library.Install, " "+version) {
		t.Errorf("%q does not install %s", library.Install, version)
	}
}
