//go:build image

package image

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// published pushes the image to a registry twice, built twice.
func (t *tester) published(ctx context.Context) error {
	size, err := output(ctx, t.engine, "image", "inspect", "-f", "{{.Size}}", plain)
	if err != nil {
		return err
	}
	bytes, err := strconv.ParseFloat(size, 64)
	if err != nil {
		return err
	}
	t.result.SizeMB = math.Round(bytes/1e5) / 10
	registry := freeAddress()
	crane, err := filepath.Abs(".build/bin/crane")
	if err != nil {
		return err
	}
	if err := t.start(exec.Command(crane, "registry", "serve", "--address", registry)); err != nil { //nolint:noctx // stopped in the end
		return err
	}
	if err := until(ctx, func() error { return get(ctx, "http://"+registry+"/v2/", nil) }); err != nil {
		return fmt.Errorf("starting a registry: %w", err)
	}
	if t.result.Digest, err = t.publish(ctx, registry, plain, "v1"); err != nil {
		return err
	}
	if t.result.CompressedMB, err = t.compressed(ctx, registry, t.result.Digest, "v1"); err != nil {
		return err
	}
	if _, err := output(ctx, crane, "validate", "--remote", registry+"/stream-model-duration:v1"); err != nil {
		return err
	}
	t.passed("pushed by version and digest: %.1f MB compressed, %s", t.result.CompressedMB, t.result.Digest)

	if err := t.build(ctx, "-again", again); err != nil {
		return err
	}
	rebuilt, err := t.publish(ctx, registry, again, "again")
	if err != nil {
		return err
	}
	if rebuilt != t.result.Digest {
		return fmt.Errorf("built again, the image has the digest %s, not %s", rebuilt, t.result.Digest)
	}
	t.result.Reproducible = true
	if _, err := output(ctx, t.engine, "rmi", again); err != nil {
		return err
	}
	t.passed("built again, it has the same digest")
	return nil
}

// publish publishes an image and returns its digest.
func (t *tester) publish(ctx context.Context, registry, image, version string) (string, error) {
	repository := registry + "/stream-model-duration"
	cmd := exec.CommandContext(ctx, ".tools/image/publish", image, repository)
	cmd.Env = append(os.Environ(), "VERSION="+version)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("publishing %s: %w", image, err)
	}
	name, digest, ok := strings.Cut(strings.TrimSpace(string(out)), "@")
	if !ok || name != repository {
		return "", fmt.Errorf("publishing %s printed %q", image, out)
	}
	return digest, nil
}

// compressed is the size of all that is pulled (MB). Both tags have to be there.
func (t *tester) compressed(ctx context.Context, registry, digest, version string) (float64, error) {
	type blob struct {
		Size float64 `json:"size"`
	}
	var total float64
	for _, tag := range []string{version, strings.Replace(digest, ":", "-", 1)} {
		err := get(ctx, "http://"+registry+"/v2/stream-model-duration/manifests/"+tag, func(r *http.Response) error {
			var manifest struct {
				Config blob   `json:"config"`
				Layers []blob `json:"layers"`
			}
			if got := r.Header.Get("Docker-Content-Digest"); got != digest {
				return fmt.Errorf("tag %s is %s, not %s", tag, got, digest)
			}
			err := json.NewDecoder(r.Body).Decode(&manifest)
			total = manifest.Config.Size
			for _, layer := range manifest.Layers {
				total += layer.Size
			}
			return err
		})
		if err != nil {
			return 0, err
		}
	}
	return math.Round(total/1e5) / 10, nil
}
