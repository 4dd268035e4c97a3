package main

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/skiff-ml/skiff/cmd/internal/shipped"
	"github.com/skiff-ml/skiff/inference/bundle"
)

// A bundle says that it is signed, and whose that is where the key is known.
func TestSigned(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(shipped.Models(t), shipped.ReadRuns(t).Linear))); err != nil {
		t.Fatal(err)
	}
	variable := ""
	s := &settings{getenv: func(string) string { return variable }}
	expect := func(want string) {
		t.Helper()
		d, err := s.describe(t.Context(), &named{"", dir, bundle.Dir(dir)})
		if err != nil {
			t.Fatal(err)
		}
		if d.Signed != want {
			t.Errorf("got %s, want %s", d.Signed, want)
		}
	}
	expect("no")
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	other, _, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := os.ReadFile(filepath.Join(dir, bundle.ManifestFile))
	if err != nil {
		t.Fatal(err)
	}
	signature := base64.StdEncoding.EncodeToString(ed25519.Sign(private, manifest))
	if err := os.WriteFile(filepath.Join(dir, bundle.SignatureFile), []byte(signature), 0o600); err != nil {
		t.Fatal(err)
	}
	expect("yes; MODEL_PUBLIC_KEY would say whether with that key")
	variable = keyText(t, public)
	expect("yes, with the key of MODEL_PUBLIC_KEY")
	variable = keyText(t, other)
	expect("yes, and not with the key of MODEL_PUBLIC_KEY")
	variable = "nonsense"
	if _, err := s.describe(t.Context(), &named{"", dir, bundle.Dir(dir)}); err == nil {
		t.Error("a key that is none is taken")
	}
}

func keyText(t *testing.T, key ed25519.PublicKey) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(der)
}

// What the shipped runs do not have: labels, parts, times, words, many columns,
// and names that would do something to a terminal.
func TestPrint(t *testing.T) {
	m := &bundle.Manifest{
		Outputs: []bundle.Output{
			{
				Name: "paid", Kind: bundle.Label, Width: 1, Link: bundle.Expit, Labels: []bundle.Scalar{bundle.Word("no"), bundle.Word("yes")},
				Probabilities: new("p"), Margin: new("m"),
			},
			{Name: "both", Kind: bundle.Labels, Parts: []bundle.Output{
				{Width: 7, Link: bundle.Softmax, Labels: []bundle.Scalar{
					bundle.Word("a"), bundle.Word("b"), bundle.Word("c"), bundle.Word("d"), bundle.Word("e"), bundle.Word("f"), bundle.Word("g"),
				}},
			}},
		},
		Columns: []bundle.Column{
			{Name: "at", Kind: bundle.Number, Path: []string{"ride", "at"}, Missing: bundle.NaN, Time: &bundle.Time{Part: "hour", Zone: bundle.UTC}},
			{Name: "\x1b[2J", Kind: bundle.OneWord, Path: []string{"tags"}, Word: new("x"), Repeat: bundle.Count, Without: bundle.Zero},
			{Name: "one", Kind: bundle.Constant, Value: new(1.5)},
		},
	}
	for range maxColumns {
		m.Columns = append(m.Columns, bundle.Column{Name: "more", Kind: bundle.Number, Path: []string{"more"}, Missing: bundle.Default, Default: new(-1.0)})
	}
	d := &description{Outputs: outputLines(m), Columns: columnLines(m)}
	var b strings.Builder
	if err := d.print(&b); err != nil {
		t.Fatal(err)
	}
	got := strings.Split(b.String(), "\n")
	for i := range got {
		got[i] = strings.Join(strings.Fields(got[i]), " ")
	}
	for _, want := range []string{
		"paid label - 1 expit no, yes probabilities as p, margin as m",
		"both labels - - - - -",
		"both[0] label - 7 softmax a, b, c, d, e, f, … (7) -",
		"at number ride.at - nan - time hour, zone utc",
		`"\x1b[2J" word tags - - - word "x", repeat count, without zero`,
		"one constant - - - - value 1.5",
		"more number more - default - default -1",
		"… and 3 more, which --json has",
	} {
		if !strings.Contains("\n"+strings.Join(got, "\n")+"\n", "\n"+want+"\n") {
			t.Errorf("no line %q in\n%s", want, b.String())
		}
	}
}
