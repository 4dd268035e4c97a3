//go:build !race

package main

import (
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/skiff-ml/skiff/cmd/internal/shipped"
	"github.com/skiff-ml/skiff/inference/bundle"
)

// sign writes the signature of the manifest as it is.
func (c copied) sign(t *testing.T, key ed25519.PrivateKey) {
	t.Helper()
	signature := base64.StdEncoding.EncodeToString(ed25519.Sign(key, readFile(t, c.path(manifestFile))))
	if err := os.WriteFile(c.path(bundle.SignatureFile), []byte(signature+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
}

// newKey returns a key, and the variable with its public half.
func newKey(t *testing.T) (private ed25519.PrivateKey, variable string) {
	t.Helper()
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	return private, "MODEL_PUBLIC_KEY=" + base64.StdEncoding.EncodeToString(der)
}

func TestTrustedBundlesAreServed(t *testing.T) {
	run := shipped.ReadRuns(t).Linear
	folder, sum := copyBundle(t, run), ""
	key, variable := newKey(t)
	folder.sign(t, key)
	sum = fmt.Sprintf("MODEL_SHA256=%x", sha256.Sum256(readFile(t, folder.path(manifestFile))))
	for name, variables := range map[string][]string{"neither": nil, "signed": {variable}, "pinned": {sum}, "both": {variable, sum}} {
		t.Run(name, func(t *testing.T) {
			cmd := workerCommand(t, "-check")
			cmd.Env = append(append(cmd.Env, "RUN_ID="+run, "MODEL_LOCATION="+string(folder)), variables...)
			if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "goldens equal") {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
}

func TestUntrustedBundlesAreRefused(t *testing.T) {
	run := shipped.ReadRuns(t).Linear
	key, variable := newKey(t)
	_, others := newKey(t)
	sealed := func(c copied) error { return c.seal(nil) } // the same in other bytes
	for _, test := range []struct {
		damage
		variable string
	}{
		{damage{"another manifest", sealed, "is not signed with that key"}, variable},
		{damage{"other weights, and their digests", changedWeights, "is not signed with that key"}, variable},
		{damage{"another's key", func(copied) error { return nil }, "is not signed with that key"}, others},
		{damage{"no signature", func(c copied) error { return os.Remove(c.path(bundle.SignatureFile)) }, "it has no manifest.json.sig"}, variable},
		{damage{"a signature that is none", file(bundle.SignatureFile, "trust me"), "is not signed with that key"}, variable},
		{damage{"a signature of a gigabyte", large(bundle.SignatureFile, 1<<30), "larger than"}, variable},
		{damage{"a pipe as the signature", another(bundle.SignatureFile, fifo), "is no file"}, variable},
		{damage{"a model that the manifest doesn't know", cut(modelFile, false), "was altered"}, variable},
		{damage{"not the one", sealed, "the sha256 of its manifest.json is"}, "MODEL_SHA256=" + strings.Repeat("0", 64)},
		{damage{"a digest that is none", sealed, "MODEL_SHA256 is"}, "MODEL_SHA256=latest"},
		{damage{"a key that is none", sealed, "MODEL_PUBLIC_KEY: it is no public key"}, "MODEL_PUBLIC_KEY=ssh-ed25519 AAAA"},
	} {
		t.Run(test.name, func(t *testing.T) {
			folder := copyBundle(t, run)
			folder.sign(t, key)
			if err := test.do(folder); err != nil {
				t.Fatal(err)
			}
			refused(t, folder, run, test.want, test.variable)
		})
	}
}
