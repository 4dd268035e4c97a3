package ort

/*
#cgo linux LDFLAGS: -ldl
#include <dlfcn.h>
#include <stdlib.h>

typedef const void *(*base_function)(void);
typedef char *(*register_function)(void *options, const void *base);

static char *register_operators(void *base, void *function, void *options) {
	return ((register_function)function)(options, ((base_function)base)());
}
*/
import "C"

import (
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"unsafe"

	ort "github.com/yalue/onnxruntime_go"

	"github.com/skiff-ml/skiff/inference/bundle"
	"github.com/skiff-ml/skiff/inference/graph"
)

// NoOperators is a name for the library of skiff's operators that says that
// none is wanted.
const NoOperators = "none"

// FindOperators returns the path of the library of skiff's operators, which is
// built from ops: the one that is named, or else that beside onnxruntime's.
func FindOperators(named, onnxruntime string) string {
	switch named {
	case NoOperators:
		return named
	case "":
		named = filepath.Join(filepath.Dir(onnxruntime), "libskiff.so")
	}
	if absolute, err := filepath.Abs(named); err == nil {
		return absolute // a name alone would be looked for among the system's
	}
	return named
}

// LoadFastest loads the faster of the bundle's graphs, with skiff's operators
// from their library. Where the bundle has it and that fails, slower says why,
// and it is the standard graph that is loaded: it predicts the same. A graph
// that the converter does not write is an error, as the standard one is.
// [Initialize] comes first.
func LoadFastest(b *bundle.Bundle, operators string) (s *Session, slower, err error) {
	if b.Fast != nil && operators != NoOperators {
		s, slower = load(b, bundle.FastFile, b.Fast, operators)
		switch {
		case slower == nil:
			s.fast = true
			return s, nil, nil
		case errors.Is(slower, graph.ErrForeign), errors.Is(slower, bundle.ErrAltered):
			return nil, nil, slower
		}
	}
	s, err = Load(b)
	return s, slower, err
}

// Graph returns the file of the bundle whose graph runs.
func (s *Session) Graph() string {
	if s.fast {
		return bundle.FastFile
	}
	return bundle.ModelFile
}

// register makes the operators of a library known to sessions that are made
// with options. The binding has no call for it, and hides what it takes.
func register(library string, options *ort.SessionOptions) error {
	base, err := symbol(environment.library, "OrtGetApiBase")
	if err != nil {
		return err
	}
	function, err := symbol(library, "skiff_register")
	if err != nil {
		return err
	}
	hidden := reflect.ValueOf(options).Elem().FieldByName("o")
	if !hidden.IsValid() || hidden.Kind() != reflect.Pointer {
		return errors.New("the binding of onnxruntime has its options elsewhere")
	}
	why := C.register_operators(base, function, hidden.UnsafePointer())
	if why == nil {
		return nil
	}
	defer C.free(unsafe.Pointer(why))
	return errors.New(C.GoString(why))
}

// symbol returns a function of a shared library, which stays loaded.
func symbol(library, name string) (unsafe.Pointer, error) {
	path, function := C.CString(library), C.CString(name)
	defer C.free(unsafe.Pointer(path))
	defer C.free(unsafe.Pointer(function))
	handle := C.dlopen(path, C.RTLD_NOW|C.RTLD_LOCAL)
	if handle == nil {
		return nil, errors.New(C.GoString(C.dlerror()))
	}
	found := C.dlsym(handle, function)
	if found == nil {
		return nil, fmt.Errorf("%s has no %s", library, name)
	}
	return found, nil
}
