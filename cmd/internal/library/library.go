// Package library is where the worker looks for onnxruntime's shared library.
package library

import (
	"os"
	"path/filepath"
	"runtime"
)

// Find returns the path of onnxruntime's shared library: the one that
// ONNXRUNTIME_LIB names, or else the first there is beside the worker, where
// `make onnxruntime` puts it, and where the image has it. Where there is none it
// is the last of these.
func Find(named, besideWorker string) string {
	if named != "" {
		return named
	}
	name := "libonnxruntime.so"
	if runtime.GOOS == "darwin" {
		name = "libonnxruntime.dylib"
	}
	places := []string{
		filepath.Join(besideWorker, name),
		filepath.Join(besideWorker, "..", "lib", name), // .build/bin beside .build/lib
		filepath.Join(".build", "lib", name),
		filepath.Join("/opt/lib", name), // the image
	}
	for _, place := range places {
		if _, err := os.Stat(place); err == nil {
			return place
		}
	}
	return places[len(places)-1]
}
