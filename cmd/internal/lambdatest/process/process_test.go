package process

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"testing"
	"time"
)

// start starts a shell script and returns its output, which ends once nothing is left that could write to it.
func start(t *testing.T, script string) (*Process, *bufio.Reader) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	cmd := exec.Command("/bin/sh", "-c", script) //nolint:noctx // stopped by Stop
	cmd.Stdout = w
	p, err := Start(cmd)
	_ = w.Close()
	if err != nil {
		t.Fatal(err)
	}
	if err := r.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return p, bufio.NewReader(r)
}

func TestStopEndsTheGroup(t *testing.T) {
	for name, script := range map[string]string{
		"one that ends when asked":  `sleep 600 & echo up; wait`,
		"one that does not":         `trap "" TERM; sleep 600 & echo up; wait; wait`,
		"one whose leader has gone": `sleep 600 & echo up`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, out := start(t, script)
			if line, err := out.ReadString('\n'); line != "up\n" {
				t.Fatalf("read %q, %v", line, err)
			}
			p.Stop(200 * time.Millisecond)
			if rest, err := io.ReadAll(out); err != nil || len(rest) != 0 {
				t.Errorf("something is left: %q, %v", rest, err)
			}
			p.Stop(0) // again is fine
		})
	}
}

func TestStatus(t *testing.T) {
	p, _ := start(t, `exit 3`)
	<-p.Exited()
	if got := p.Status(); got != "exit status 3" {
		t.Errorf("status %q", got)
	}
	p, _ = start(t, `exit 0`)
	<-p.Exited()
	if got := p.Status(); got != "exit status 0" {
		t.Errorf("status %q", got)
	}
}

func TestStartFails(t *testing.T) {
	if _, err := Start(exec.Command("/no/such/program")); err == nil { //nolint:noctx // it does not start
		t.Error("no error")
	}
}
