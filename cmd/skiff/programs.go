package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"github.com/skiff-ml/skiff/inference/hint"
)

// findProgram returns one of skiff's other programs: the one that a flag names, or
// else that beside this program, or that which make has built in a checkout, or
// that in PATH.
func findProgram(name, named string) (string, error) {
	if named != "" {
		return exec.LookPath(named)
	}
	if self, err := os.Executable(); err == nil {
		if beside := filepath.Join(filepath.Dir(self), name); isFile(beside) {
			return beside, nil
		}
	}
	if built := inCheckout("bin", name); isFile(built) {
		return built, nil
	}
	return exec.LookPath(name)
}

// checkout returns the folder of the project's source: that which this program was
// built in, or that which the working folder is in; or "".
func checkout() string {
	self, _ := os.Executable()
	here, _ := os.Getwd()
	for _, dir := range []string{filepath.Dir(self), here} {
		for ; ; dir = filepath.Dir(dir) {
			if isFile(filepath.Join(dir, "convert", "skiff_convert", "cli.py")) && isFile(filepath.Join(dir, "go.mod")) {
				return dir
			}
			if dir == filepath.Dir(dir) {
				break
			}
		}
	}
	return ""
}

// inCheckout returns the path of something that make has built or installed in the
// checkout, or "" where there is none.
func inCheckout(elements ...string) string {
	root := checkout()
	if root == "" {
		return ""
	}
	return filepath.Join(append([]string{root, ".build"}, elements...)...)
}

// handOver makes this process another program's, called by those arguments, its
// name before them: what it prints, how it ends and what signals it gets are that
// one's. It returns only where the program cannot be started.
func handOver(program string, args, env []string) error {
	if err := syscall.Exec(program, args, append(os.Environ(), env...)); err != nil {
		return fmt.Errorf("starting %s: %w", program, err)
	}
	return nil
}

// findUV returns uv, which makes Python environments.
func findUV(what string) (string, error) {
	if built := inCheckout("uv", "bin", "uv"); isFile(built) {
		return built, nil
	}
	uv, err := exec.LookPath("uv")
	if err != nil {
		return "", hint.With(errors.New("uv is missing, which installs "+what),
			"install it, https://docs.astral.sh/uv/getting-started/installation/, for example with `pipx install uv`")
	}
	return uv, nil
}

func isFile(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.Mode().IsRegular()
}
