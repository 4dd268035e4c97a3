package main

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/skiff-ml/skiff/cmd/internal/shipped"
	"github.com/skiff-ml/skiff/inference/bundle"
	"github.com/skiff-ml/skiff/inference/graph/graphtest"
)

// What a damaged bundle may take until it is refused. On a machine that has
// nothing else to do it is some 50 ms.
const (
	refusalTime   = 10 * time.Second // the promise is one
	refusalMemory = 200 << 10        // KB
)

// A damage is done to a copy of a shipped bundle, and said in one line.
type damage struct {
	name string
	do   func(copied) error
	want string
}

// copied is a bundle's folder.
type copied string

func copyBundle(t *testing.T, run string) copied {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(shipped.Models(t), run))); err != nil {
		t.Fatal(err)
	}
	return copied(dir)
}

func (c copied) path(name string) string { return filepath.Join(string(c), name) }

// change writes a file anew, and then the digests in the manifest, so that
// nothing is wrong with those.
func (c copied) change(name string, to func([]byte) []byte) error {
	data, err := os.ReadFile(c.path(name))
	if err == nil {
		err = os.WriteFile(c.path(name), to(data), 0o600)
	}
	return errors.Join(err, c.seal(nil))
}

// seal writes the digests of the files as they are; and what is in the manifest
// beside them, where there is something.
func (c copied) seal(fields map[string]any) error {
	data, err := os.ReadFile(c.path(bundle.ManifestFile))
	if err != nil {
		return err
	}
	var manifest map[string]json.RawMessage // columns have a fingerprint of their text
	if err := json.Unmarshal(data, &manifest); err != nil {
		return err
	}
	for key, value := range fields {
		if manifest[key], err = json.Marshal(value); err != nil {
			return err
		}
	}
	sums := map[string]string{}
	for _, name := range []string{bundle.ModelFile, bundle.GoldenFile} {
		file, err := os.ReadFile(c.path(name))
		if err != nil {
			return err
		}
		sums[name] = fmt.Sprintf("%x", sha256.Sum256(file))
	}
	if manifest["files"], err = json.Marshal(sums); err != nil {
		return err
	}
	if data, err = json.Marshal(manifest); err != nil {
		return err
	}
	return os.WriteFile(c.path(bundle.ManifestFile), data, 0o600)
}

// manifest changes the manifest, and the fingerprint that the graph has of it.
func (c copied) manifest(change func(map[string]any)) error {
	data, err := os.ReadFile(c.path(bundle.ManifestFile))
	if err != nil {
		return err
	}
	var fields map[string]any
	if err := json.Unmarshal(data, &fields); err != nil {
		return err
	}
	change(fields)
	if err := c.seal(fields); err != nil {
		return err
	}
	if data, err = os.ReadFile(c.path(bundle.ManifestFile)); err != nil {
		return err
	}
	m, err := bundle.ParseManifest(data)
	if err != nil {
		return nil //nolint:nilerr // it is what is wrong with it
	}
	return c.model(func(model graphtest.Message) graphtest.Message {
		for i := range model {
			if strings.Contains(string(model[i].Bytes), "columns") && model[i].Number == graphtest.ModelMetadata {
				model[i] = graphtest.Sub(graphtest.ModelMetadata, graphtest.Text(1, "columns"), graphtest.Text(2, m.Fingerprint))
			}
		}
		return model
	})
}

// model changes the graph's model.
func (c copied) model(change func(graphtest.Message) graphtest.Message) error {
	return c.change(bundle.ModelFile, func(raw []byte) []byte {
		model, err := graphtest.Parse(raw)
		if err != nil {
			panic(err) // it is shipped
		}
		return change(model).Encode()
	})
}

// graph changes the graph itself.
func (c copied) graph(change func(graphtest.Message) graphtest.Message) error {
	return c.model(func(model graphtest.Message) graphtest.Message {
		model, err := model.Edit(change)
		if err != nil {
			panic(err)
		}
		return model
	})
}

// instead has other nodes make y.
func instead(nodes ...graphtest.Field) func(copied) error {
	return func(c copied) error {
		return c.graph(func(g graphtest.Message) graphtest.Message { return append(g.Without(graphtest.GraphNode), nodes...) })
	}
}

// beside has further nodes and constants, which make something else.
func beside(nodes ...graphtest.Field) func(copied) error {
	return func(c copied) error {
		return c.graph(func(g graphtest.Message) graphtest.Message { return slices.Concat(nodes, g) })
	}
}

// node is a node from words: its inputs, and its outputs.
func node(operator, in, out string, attributes ...graphtest.Field) graphtest.Field {
	return graphtest.Node(operator, strings.Fields(in), strings.Fields(out), attributes...)
}

func file(name, content string) func(copied) error {
	return func(c copied) error { return os.WriteFile(c.path(name), []byte(content), 0o600) }
}

// cut halves a file; sealed says that the digests are those of the half.
func cut(name string, sealed bool) func(copied) error {
	return func(c copied) error {
		data, err := os.ReadFile(c.path(name))
		if err != nil {
			return err
		}
		err = os.WriteFile(c.path(name), data[:len(data)/2], 0o600)
		if sealed {
			err = errors.Join(err, c.seal(nil))
		}
		return err
	}
}

// large makes a file of so many bytes, of which the disk has none.
func large(name string, size int64) func(copied) error {
	return func(c copied) error { return os.Truncate(c.path(name), size) }
}

// another puts something else where a file was.
func another(name string, put func(path string) error) func(copied) error {
	return func(c copied) error { return errors.Join(os.Remove(c.path(name)), put(c.path(name))) }
}

func link(to string) func(string) error {
	return func(path string) error { return os.Symlink(to, path) }
}

func fifo(path string) error { return syscall.Mkfifo(path, 0o600) }

// set changes a field of the manifest.
func set(field string, value any) func(copied) error {
	return func(c copied) error { return c.manifest(func(m map[string]any) { m[field] = value }) }
}

// refused runs the worker on a bundle, which it has to refuse.
func refused(t *testing.T, folder copied, run, want string, variables ...string) {
	t.Helper()
	cmd := workerCommand(t, "-check")
	cmd.Env = append(append(cmd.Env, "RUN_ID="+run, "MODEL_LOCATION="+string(folder)), variables...)
	var stderr, stdout strings.Builder
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = &stdout, &stderr, time.Second
	start := time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	late := time.AfterFunc(refusalTime, func() { _ = cmd.Process.Kill() })
	err := cmd.Wait()
	took := time.Since(start)
	if exit, ok := errors.AsType[*exec.ExitError](err); !late.Stop() || !ok || exit.ExitCode() != 1 {
		t.Errorf("it ended after %v with %v", took, err)
	}
	lines := strings.SplitAfter(stderr.String(), "\n")
	if len(lines) != 3 || !strings.HasPrefix(lines[0], "worker: error: ") || !strings.HasPrefix(lines[1], "hint: ") || strings.Contains(stderr.String(), "\x1b") {
		t.Errorf("it says\n%s%s", stdout.String(), stderr.String())
	}
	if !strings.Contains(lines[0], want) {
		t.Errorf("it says %swant %q", lines[0], want)
	}
	if kb := cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss; kb > refusalMemory {
		t.Errorf("it took %d KB", kb)
	}
	if testing.Verbose() {
		t.Logf("%v, %d KB: %s", took.Round(time.Millisecond), cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss, lines[0])
	}
}

// many writes a text so many times.
func many(w io.Writer, text string, times int) error {
	block := strings.Repeat(text, 1000)
	for ; times > 0; times -= 1000 {
		if _, err := io.WriteString(w, block); err != nil {
			return err
		}
	}
	return nil
}
