//go:build image

package image

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/skiff-ml/skiff/cmd/tools/internal/measuring"
)

const (
	timeoutSeconds = 15  // the function's, as in the tutorial
	memory         = 512 // MB, the function's
	answerTime     = (timeoutSeconds + 5) * time.Second
	logTime        = 5 * time.Second // until the engine has written down what it was told
	pollInterval   = 5 * time.Millisecond
)

// output runs a program and returns what it prints. What it says on stderr is
// in the error.
func output(ctx context.Context, name string, args ...string) (string, error) {
	var stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w: %s", name, args[0], err, lastLine(stderr.String()))
	}
	return strings.TrimSpace(string(out)), nil
}

func lastLine(s string) string {
	s = strings.TrimSpace(s)
	return s[strings.LastIndexByte(s, '\n')+1:]
}

// A container is the image in a container, answering at url.
type container struct {
	engine, id, url string
	began           time.Time
}

// startFunction starts the image under the runtime interface emulator, as
// Lambda would: another user, nothing to write to but /tmp, no privileges. It
// has the host's network, where the stand-ins are.
func (t *tester) startFunction(ctx context.Context, image string, options ...string) (*container, error) {
	emulator, err := filepath.Abs(".build/image/aws-lambda-rie")
	if err != nil {
		return nil, err
	}
	address, api := freeAddress(), freeAddress()
	args := []string{
		"run", "-d", "--network=host", "--read-only", "--tmpfs=/tmp:rw,size=512m", "--user=993:990", "--cap-drop=all",
		"--security-opt=no-new-privileges", "--pids-limit=1024", "--memory=512m", "--memory-swap=512m",
		"-e", "AWS_LAMBDA_FUNCTION_TIMEOUT=" + strconv.Itoa(timeoutSeconds), "-e", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=" + strconv.Itoa(memory),
		"-v", emulator + ":/aws-lambda-rie:ro", "--entrypoint=/aws-lambda-rie",
	}
	args = append(append(args, options...), image,
		"--runtime-interface-emulator-address", address, "--runtime-api-address", api, "/var/task/worker")
	c := &container{engine: t.engine, url: "http://" + address, began: time.Now()}
	c.id, err = output(ctx, t.engine, args...)
	return c, err
}

// remove removes the container, also when the tests are to end.
func (c *container) remove(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), answerTime)
	defer cancel()
	_, _ = output(ctx, c.engine, "rm", "-f", "-t", "0", c.id)
}

// invoke posts an event and returns the answer: the emulator's status is 200
// whatever happens. It is tried until something listens.
func (c *container) invoke(ctx context.Context, event []byte) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url+"/2015-03-31/functions/function/invocations", bytes.NewReader(event))
		if err != nil {
			return "", err
		}
		response, err := http.DefaultClient.Do(request)
		if err == nil {
			body, err := io.ReadAll(response.Body)
			return string(body), errors.Join(err, response.Body.Close())
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return "", fmt.Errorf("no answer within %v: %w; the log: %s", answerTime, err, c.log(ctx))
		}
	}
}

// log returns what the container wrote so far, to both of its outputs.
func (c *container) log(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), answerTime)
	defer cancel()
	out, err := exec.CommandContext(ctx, c.engine, "logs", c.id).CombinedOutput()
	if err != nil {
		return err.Error()
	}
	return string(out)
}

// logged returns an error unless one line of the log, and no more, has text in
// it. An answer may be here before the engine has the lines that led to it.
func (c *container) logged(ctx context.Context, text string) error {
	ctx, cancel := context.WithTimeout(ctx, logTime)
	defer cancel()
	return until(ctx, func() error {
		log, n := c.log(ctx), 0
		for line := range strings.Lines(log) {
			if strings.Contains(line, text) {
				n++
			}
		}
		if n != 1 {
			return fmt.Errorf("%d lines of the log have %q, not one:\n%s", n, text, log)
		}
		return nil
	})
}

var initReport = regexp.MustCompile(`INIT REPORT\(durationMs: ([0-9.]+)\)`)

// initMS is what the emulator says that starting the worker took.
func (c *container) initMS(ctx context.Context) (float64, error) {
	ctx, cancel := context.WithTimeout(ctx, logTime)
	defer cancel()
	var found []string
	err := until(ctx, func() error {
		if found = initReport.FindStringSubmatch(c.log(ctx)); found == nil {
			return errors.New("the emulator's log has no INIT REPORT")
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return strconv.ParseFloat(found[1], 64)
}

// peakMB is the most memory that the worker had, the emulator's child.
func (c *container) peakMB(ctx context.Context) (float64, error) {
	pid, err := output(ctx, c.engine, "inspect", "-f", "{{.State.Pid}}", c.id)
	if err != nil {
		return 0, err
	}
	threads, err := filepath.Glob("/proc/" + pid + "/task/*/children")
	if err != nil {
		return 0, err
	}
	for _, file := range threads {
		children, err := os.ReadFile(file)
		if err != nil {
			return 0, err
		}
		for child := range strings.FieldsSeq(string(children)) {
			pid, err := strconv.Atoi(child)
			if err != nil {
				return 0, err
			}
			mib, err := measuring.Memory(pid, "VmHWM")
			return mib * (1 << 20) / 1e6, err
		}
	}
	return 0, errors.New("the worker's memory is not to be seen from here: is the engine in a machine of its own?")
}

// freeAddress returns an address on the loopback interface that was free.
func freeAddress() string {
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // nothing is waited for
	if err != nil {
		return "127.0.0.1:0" // whoever uses it has a better error
	}
	address := listener.Addr().String()
	_ = listener.Close()
	return address
}

// answer is what a run answers to the sample event.
func answer(run, minutes string) string {
	return `{"predictions":[` + prediction(run, minutes) + `]}`
}

func prediction(run, minutes string) string {
	return fmt.Sprintf(`{"model":"ride_duration_prediction_model","version":%q,"prediction":{"ride_duration":%s,"ride_id":156}}`, run, minutes)
}

// expect invokes and compares the whole answer.
func (c *container) expect(ctx context.Context, event []byte, want string) error {
	got, err := c.invoke(ctx, event)
	if err != nil {
		return err
	}
	if got != want {
		return fmt.Errorf("the answer is %s\nnot %s\nthe log: %s", got, want, c.log(ctx))
	}
	return nil
}

// fails invokes and expects an error with the reason.
func (c *container) fails(ctx context.Context, event []byte, reason string) error {
	got, err := c.invoke(ctx, event)
	if err != nil {
		return err
	}
	var failure struct {
		Message string `json:"errorMessage"`
	}
	if err := json.Unmarshal([]byte(got), &failure); err != nil || !strings.Contains(failure.Message, reason) {
		return fmt.Errorf("the answer is %s, not an error with %q in it", got, reason)
	}
	return nil
}
