package main

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/skiff-ml/skiff/inference/hint"
)

// ministackLock pins ministack and what it needs, with their hashes, as make
// installs it: it is a copy of .tools/python/stack.lock, which a module's package
// cannot embed.
//
//go:embed ministack.lock
var ministackLock []byte

// ministackPython is the Python that it is pinned for.
const ministackPython = "3.11"

// findMinistack returns ministack's program, which stands in for Kinesis and S3:
// that of the checkout, or one in a virtual environment under the user's cache,
// which uv makes the first time.
func (s *settings) findMinistack(ctx context.Context, named string) (string, error) {
	if named != "" {
		return findProgram("", named)
	}
	if built := inCheckout("venv", "bin", "ministack"); isFile(built) {
		return built, nil
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("finding a place for ministack: %w", err)
	}
	sum := sha256.Sum256(ministackLock)
	venv := filepath.Join(cache, "skiff", "ministack-"+hex.EncodeToString(sum[:4]))
	program := filepath.Join(venv, "bin", "ministack")
	whole := filepath.Join(venv, "whole") // written last
	if isFile(program) && isFile(whole) {
		return program, nil
	}
	uv, err := findUV("ministack, the stand-in for Kinesis and S3")
	if err != nil {
		return "", err
	}
	fmt.Fprintf(s.stderr, "installing ministack, the stand-in for Kinesis and S3, once, in %s\n", venv)
	if err := s.installMinistack(ctx, uv, venv); err != nil {
		return "", hint.With(fmt.Errorf("installing ministack: %w", err), "uv says why; the same command tries again")
	}
	return program, os.WriteFile(whole, nil, 0o600)
}

// installMinistack makes the virtual environment. What it says goes to stderr.
func (s *settings) installMinistack(ctx context.Context, uv, venv string) error {
	if err := os.MkdirAll(venv, 0o750); err != nil {
		return err
	}
	lock := filepath.Join(venv, "ministack.lock")
	if err := os.WriteFile(lock, ministackLock, 0o600); err != nil {
		return err
	}
	for _, args := range [][]string{
		{"venv", "--quiet", "--allow-existing", "--python", ministackPython, venv},
		{"pip", "install", "--python", filepath.Join(venv, "bin", "python"), "--require-hashes", "--requirement", lock},
	} {
		cmd := exec.CommandContext(ctx, uv, args...)
		cmd.Stdout, cmd.Stderr = s.stderr, s.stderr
		if err := cmd.Run(); err != nil {
			return errors.Join(errors.New("uv "+strings.Join(args[:2], " ")), err)
		}
	}
	return nil
}
