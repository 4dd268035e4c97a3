// Package library is where the worker looks for onnxruntime's shared library.
package library

import (
	"os"
	"path/filepath"
	"runtime"
)

// Install is the command that puts onnxruntime where Find looks for it, for whom
// neither a release's archive nor the converter has brought it. The version is
// that which the project is tested with.
const Install = "uv pip install --no-deps --target ~/.local/share/skiff onnxruntime==1.32.0"

// Find returns the path of onnxruntime's shared library: the one that
// ONNXRUNTIME_LIB names, or else the first there is beside the worker, where
// `make onnxruntime` puts it, where the image has it, and in the Python packages
// that [Install] installs, or `uv tool install skiff-convert`. Where there is none it
// is the image's.
func Find(named, besideWorker string) string {
	if named != "" {
		return named
	}
	name, versioned := "libonnxruntime.so", "libonnxruntime.so.*"
	if runtime.GOOS == "darwin" {
		name, versioned = "libonnxruntime.dylib", "libonnxruntime.*.dylib"
	}
	image := filepath.Join("/opt/lib", name)
	for _, place := range []string{
		filepath.Join(besideWorker, name),
		filepath.Join(besideWorker, "..", "lib", name), // .build/bin beside .build/lib, and a release's archive
		filepath.Join(".build", "lib", name),
		image,
	} {
		if is(place) {
			return place
		}
	}
	if found := installed(versioned); found != "" {
		return found
	}
	return image
}

// FindOperators returns the path of the library of skiff's operators: the one that
// SKIFF_LIB names, or else that beside onnxruntime's, or the converter's, where both
// are Python packages in one folder. Where there is none it is the one beside.
func FindOperators(named, onnxruntime string) string {
	if named != "" {
		return named
	}
	const file = "libskiff.so"
	beside := filepath.Join(filepath.Dir(onnxruntime), file)
	converters := filepath.Join(filepath.Dir(onnxruntime), "..", "..", "skiff_convert", file)
	if !is(beside) && is(converters) {
		return converters
	}
	return beside
}

func is(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// installed returns the library of onnxruntime's Python package among the user's
// data, "" where there is none.
func installed(versioned string) string {
	data := os.Getenv("XDG_DATA_HOME")
	if data == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return "" // as in Lambda
		}
		data = filepath.Join(home, ".local", "share")
	}
	for _, packages := range []string{"skiff", "uv/tools/skiff-convert/lib/python3.*/site-packages"} {
		found, err := filepath.Glob(filepath.Join(data, packages, "onnxruntime", "capi", versioned))
		if err == nil && len(found) > 0 {
			return found[len(found)-1]
		}
	}
	return ""
}
