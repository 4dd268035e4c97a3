//go:build image

package image

import (
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// TestArm64 builds the image for the other processor, and looks whether its
// parts fit together: it cannot run here.
func TestArm64(t *testing.T) {
	it, ctx := newTester(t)
	if err := it.architecture(ctx); err != nil {
		t.Fatal(err)
	}
}

// architecture builds the image for the other processor, which cannot run
// here, and looks whether its parts fit together.
func (t *tester) architecture(ctx context.Context) error {
	if err := t.build(ctx, "-arch", "arm64", other); err != nil {
		return err
	}
	id, err := output(ctx, t.engine, "create", other)
	if err != nil {
		return err
	}
	defer (&container{engine: t.engine, id: id}).remove(ctx)
	folder := filepath.Join(t.temp, "arm64")
	if err := os.Mkdir(folder, 0o750); err != nil {
		return err
	}
	for _, path := range []string{"/var/task/worker", "/opt/lib"} {
		if _, err := output(ctx, t.engine, "cp", id+":"+path, folder); err != nil {
			return err
		}
	}
	for _, file := range []string{"worker", "lib/libonnxruntime.so", "lib/libskiff.so"} {
		f, err := elf.Open(filepath.Join(folder, file))
		if err != nil {
			return fmt.Errorf("arm64: %w", err)
		}
		needed, err := f.ImportedLibraries()
		if err := errors.Join(err, f.Close()); err != nil {
			return fmt.Errorf("arm64: reading %s: %w", file, err)
		}
		if f.Machine != elf.EM_AARCH64 {
			return fmt.Errorf("arm64: %s is for %s", file, f.Machine)
		}
		for _, library := range append(needed, "ld-linux-aarch64.so.1") {
			if _, err := os.Stat(filepath.Join(folder, "lib", library)); err != nil {
				return fmt.Errorf("arm64: what %s needs is not in the image: %w", file, err)
			}
		}
	}
	t.passed("for arm64 it is built, and has what it is linked to")
	return nil
}
