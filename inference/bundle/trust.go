package bundle

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"strings"
)

// SignatureFile is the manifest's signature, which a bundle may have beside it.
const SignatureFile = ManifestFile + ".sig"

// Why a bundle is not trusted, or cannot be.
var (
	ErrUntrusted = errors.New("is not trusted")
	ErrKey       = errors.New("is no public key")
)

// Trust is what a bundle's manifest has to be, which has the digests of the
// other files: the very one, or one that is signed. The zero Trust takes any.
type Trust struct {
	SHA256    string // of manifest.json, 64 hexadecimal digits
	PublicKey any    // from [ParsePublicKey]
}

// ParsePublicKey reads an Ed25519 or ECDSA P-256 key as openssl, cosign and AWS
// KMS have it: a SubjectPublicKeyInfo in PEM, or its base64 without the lines
// around it.
func ParsePublicKey(text string) (any, error) {
	der, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
	if block, _ := pem.Decode([]byte(text)); block != nil {
		der, err = block.Bytes, nil
	}
	if err != nil {
		return nil, fmt.Errorf("it %w: it is neither PEM nor base64", ErrKey)
	}
	key, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return nil, fmt.Errorf("it %w: %w", ErrKey, err)
	}
	switch k := key.(type) {
	case ed25519.PublicKey:
		return k, nil
	case *ecdsa.PublicKey:
		if k.Curve.Params().BitSize == 256 {
			return k, nil
		}
	}
	return nil, fmt.Errorf("it %w of Ed25519 or ECDSA P-256", ErrKey)
}

// check returns an error that wraps [ErrUntrusted] for another manifest, or one
// that isn't signed.
func (t *Trust) check(ctx context.Context, folder Folder, manifest []byte) error {
	sum := sha256.Sum256(manifest)
	if got := hex.EncodeToString(sum[:]); t.SHA256 != "" && !strings.EqualFold(got, t.SHA256) {
		return fmt.Errorf("the bundle %w: the sha256 of its %s is %s, not %s", ErrUntrusted, ManifestFile, got, t.SHA256)
	}
	if t.PublicKey == nil {
		return nil
	}
	text, err := folder.ReadFile(ctx, SignatureFile)
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("the bundle %w: it has no %s", ErrUntrusted, SignatureFile)
	}
	if err != nil {
		return fmt.Errorf("reading the bundle's signature: %w", err)
	}
	signature := make([]byte, base64.StdEncoding.DecodedLen(len(text)))
	n, err := base64.StdEncoding.Decode(signature, bytes.TrimSpace(text))
	if err != nil || !signed(t.PublicKey, manifest, sum[:], signature[:n]) {
		return fmt.Errorf("the bundle %w: its %s is not signed with that key", ErrUntrusted, ManifestFile)
	}
	return nil
}

func signed(key any, message, digest, signature []byte) bool {
	switch k := key.(type) {
	case ed25519.PublicKey:
		return ed25519.Verify(k, message, signature)
	case *ecdsa.PublicKey:
		return ecdsa.VerifyASN1(k, digest, signature)
	}
	return false
}
