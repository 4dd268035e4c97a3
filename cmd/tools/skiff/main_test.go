package main

import (
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"skiff": main})
}

// The scripts of testdata are sessions with a worker that proves any run but
// those that it is told not to. With the real one it is cmd/tools/swap that
// promotes.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata"})
}
