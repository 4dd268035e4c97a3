package bundle

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
)

// memory is a folder of texts.
type memory map[string]string

func (m memory) ReadFile(_ context.Context, name string) ([]byte, error) {
	if text, ok := m[name]; ok {
		return []byte(text), nil
	}
	return nil, os.ErrNotExist
}

func TestSignatureVectors(t *testing.T) {
	raw, err := os.ReadFile("vectors/signatures.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors []struct {
		Name, Key, Manifest, Signature string
		OK                             bool `json:"ok"`
		NoKey                          bool `json:"no_key"`
	}
	if err := json.Unmarshal(raw, &vectors); err != nil || len(vectors) == 0 {
		t.Fatal(err)
	}
	for _, v := range vectors {
		key, err := ParsePublicKey(v.Key)
		if errors.Is(err, ErrKey) != v.NoKey {
			t.Errorf("%s: the key: %v", v.Name, err)
		}
		if err != nil {
			continue
		}
		trust := Trust{PublicKey: key}
		err = trust.check(t.Context(), memory{SignatureFile: v.Signature}, []byte(v.Manifest))
		if (err == nil) != v.OK || err != nil && !errors.Is(err, ErrUntrusted) {
			t.Errorf("%s: %v", v.Name, err)
		}
	}
}

func TestTrust(t *testing.T) {
	const sum = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" // of nothing
	key, err := ParsePublicKey("MCowBQYDK2VwAyEA" + strings.Repeat("A", 43) + "=")
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		trust Trust
		want  string
	}{
		"anybody":            {Trust{}, ""},
		"pinned":             {Trust{SHA256: sum}, ""},
		"pinned in capitals": {Trust{SHA256: strings.ToUpper(sum)}, ""},
		"another":            {Trust{SHA256: strings.Repeat("0", 64)}, "the sha256 of its manifest.json is e3b0c"},
		"not signed":         {Trust{SHA256: sum, PublicKey: key}, "it has no manifest.json.sig"},
	} {
		err := test.trust.check(t.Context(), memory{}, nil)
		if test.want == "" && err != nil || test.want != "" && (!errors.Is(err, ErrUntrusted) || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
