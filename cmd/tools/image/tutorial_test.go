//go:build image

package image

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/skiff-ml/skiff/cmd/internal/lambdatest/ministack"
)

// tutorial runs the image as the tutorial does, but for the port and the home,
// and starts the stand-ins where a container on the engine's own network
// reaches them. What it starts stays until the end: the network is there as
// long as somebody is on it.
func (t *tester) tutorial(ctx context.Context) error {
	gateway, err := t.gateway(ctx)
	if err != nil {
		return err
	}
	_, port, err := net.SplitHostPort(freeAddress())
	if err != nil {
		return err
	}
	standIn := net.JoinHostPort(gateway, port)
	home := filepath.Join(t.temp, "home")
	if err := os.MkdirAll(filepath.Join(home, ".aws"), 0o755); err != nil { // read as another user
		return err
	}
	for file, text := range map[string]string{ // ministack takes any keys
		"credentials": "[default]\naws_access_key_id = test\naws_secret_access_key = test\n",
		"config":      "[default]\nregion = " + ministack.Region + "\nendpoint_url = http://" + standIn + "\n",
	} {
		if err := os.WriteFile(filepath.Join(home, ".aws", file), []byte(text), 0o644); err != nil { // read as another user
			return err
		}
	}
	address := freeAddress()
	c := &container{engine: t.engine, id: "skiff-image-tutorial-" + strconv.Itoa(os.Getpid()), url: "http://" + address}
	_, published, err := net.SplitHostPort(address)
	if err != nil {
		return err
	}
	// A terminal, which -it wants, is what script gives.
	typed := fmt.Sprintf("%s run --name %s -it --rm -p %s:8080 -e PREDICTIONS_STREAM_NAME=ride-predictions -e RUN_ID=%s -v ~/.aws:/root/.aws %s",
		t.engine, c.id, published, t.runs["forest"], baked)
	cmd := exec.Command("script", "-qefc", typed, "/dev/null") //nolint:noctx // stopped in the end
	cmd.Env = append(os.Environ(), "HOME="+home)
	if err := t.start(cmd); err != nil {
		return err
	}
	t.t.Cleanup(func() { c.remove(ctx) })
	ready, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	err = until(ready, func() error { return c.logged(ready, `"msg":"listening"`) })
	if err != nil {
		return fmt.Errorf("starting the tutorial's container: %w", err)
	}
	if t.stand, err = t.startStandIns(ctx, standIn, []string{t.runs["forest"], t.runs["linear"]}); err != nil {
		return err
	}
	want := prediction(t.runs["forest"], forestMinutes)
	if err := c.expect(ctx, t.event, `{"predictions":[`+want+`]}`); err != nil {
		return fmt.Errorf("the tutorial's container: %w", err)
	}
	records, err := t.stand.published(ctx)
	if err != nil {
		return err
	}
	if !slices.Equal(records, []string{want}) {
		return fmt.Errorf("the tutorial's container put %q on the stream", records)
	}
	t.passed("the tutorial's docker run answers, finds ~/.aws and publishes")
	return t.unreadable(ctx, home)
}

// unreadable makes the credentials their owner's alone, as `aws configure` does: with another user the container says so.
func (t *tester) unreadable(ctx context.Context, home string) error {
	credentials := filepath.Join(home, ".aws", "credentials")
	if err := os.Chmod(credentials, 0o600); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	out, err := exec.CommandContext(ctx, t.engine, "run", "--rm", "-v", filepath.Dir(credentials)+":/root/.aws", baked).CombinedOutput()
	if err == nil {
		return errors.New("the container reads credentials that are not for it")
	}
	if !strings.Contains(string(out), "worker: error: reading the AWS configuration: open /root/.aws/credentials: permission denied\nhint: ") {
		return fmt.Errorf("with credentials it may not read, the container says %q, and ends with %w", out, err)
	}
	c := &container{engine: t.engine, url: "http://" + freeAddress()}
	c.id, err = output(ctx, t.engine, "run", "-d", "-p", strings.TrimPrefix(c.url, "http://")+":8080", "--read-only", "--cap-drop=all",
		"--security-opt=no-new-privileges", "--user="+strconv.Itoa(os.Getuid()), "-e", "PREDICTIONS_STREAM_NAME="+stream,
		"-v", filepath.Dir(credentials)+":/root/.aws:ro", baked)
	if err != nil {
		return err
	}
	defer c.remove(ctx)
	if err := c.expect(ctx, t.event, answer(t.runs["forest"], forestMinutes)); err != nil {
		return fmt.Errorf("the safer docker run: %w", err)
	}
	t.passed("credentials that only their owner may read: a clear error, and the safer docker run")
	return nil
}

// gateway is the host, as containers on the engine's own network see it.
func (t *tester) gateway(ctx context.Context) (string, error) {
	if t.engine == "podman" {
		return output(ctx, t.engine, "network", "inspect", "podman", "--format", "{{(index .Subnets 0).Gateway}}")
	}
	return output(ctx, t.engine, "network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Gateway}}")
}
